"""A run that the end of the server cut off, in a real browser: shown as it was, and gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from app.environment import Environment
from app.runs.history import RunHistory
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.server import open_source
from app.storage.run_store import Store
from nayer.config import Config
from tests.browser.browsing import PATIENCE, until
from tests.support.serving import serving, wait_until
from tests.support.tiny import QUICK_ROUNDS

TINY = Config(**QUICK_ROUNDS, rounds=100_000)


@pytest.mark.slow
def test_an_interrupted_run_is_shown_and_goes_on_for_whoever_began_it(browser: Browser, tmp_path: Path) -> None:
    before = RunManager(open_source, history=RunHistory(Store(tmp_path), checkpoint_seconds=0.0))
    run = before.start(Plan.alone(TINY), before.visitor(""))
    wait_until(lambda: run.refresh().rounds_done >= 3)
    before.close()
    with serving(environment=Environment(grace_seconds=60.0, data=tmp_path)) as served:
        for token in ("somebody else's", run.owner):
            context = browser.new_context()
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            page.goto(served.url)
            kept = f"JSON.stringify({{ run: '{run.id}', token: \"{token}\" }})"
            page.evaluate(f"localStorage.setItem('nayer-run', {kept})")
            page.reload()
            until(page, "interrupted")
            expect(page.locator(".samples .row:not(.live)").nth(2)).to_be_visible()
            page.click(".bar .revive")
            if token == run.owner:
                until(page, "running")
                expect(page.locator(".notes")).to_contain_text("continues from the end of round")
                expect(page.locator(".bar .revive")).to_be_hidden()
                page.click(".bar .stop")
                until(page, "stopped")
            else:
                expect(page.locator("div.notice")).to_contain_text("belongs to someone else")
            context.close()
