"""A real browser on the real server, for the tests that want one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from app.environment import Environment
from app.server import place_of
from tests.browser.browsing import PATIENCE, QUIET, NewPage
from tests.support.serving import Served, serving

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """The page. With NAYER_TEST_RUNS_ON, as in `make cluster`, its runs work on a cluster."""
    environment = Environment(grace_seconds=60.0, capacity=8, runs_on=os.environ.get("NAYER_TEST_RUNS_ON", ""))
    with place_of(environment) as (environment, opener), serving(opener, environment) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "chromium is not installed; apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser, served: Served) -> Iterator[NewPage]:
    """Opens the page as a new visitor; at the end of the test nothing may have gone wrong in its console."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(width: int = 1400, height: int = 900, dark: bool = False, calm: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if calm else "no-preference",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on(
            "console", lambda said: complaints.append(f"{said.text} {said.location}") if said.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(served.url)
        page.wait_for_selector(".bar .play")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
