"""A visitor's own runs, in a real browser: named, opened, compared and deleted; Back and reload find them again."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Page, expect

from app.runs.live_run import LiveRun
from app.runs.plan import Plan
from nayer.config import Config
from tests.browser.auditing import findings, overflow
from tests.browser.browsing import NewPage, picture, until
from tests.support.serving import Served, wait_until
from tests.support.tiny import QUICK


def started(served: Served, configs: Sequence[Config]) -> list[LiveRun]:
    """Runs of one new visitor, one after the other; all but the last have ended."""
    token = served.registry.visitor("")
    runs = []
    for config in configs:
        run = served.registry.start(Plan.alone(config), token)
        runs.append(run)
        if config is not configs[-1]:
            wait_until(lambda run=run: run.ended)
    return runs


def come_back(page: Page, run: LiveRun) -> None:
    """The page of the visitor who started that run last."""
    kept = f"JSON.stringify({{ run: '{run.id}', token: '{run.owner}' }})"
    page.evaluate(f"localStorage.setItem('nayer-run', {kept})")
    page.reload()


def shown(page: Page) -> str:
    """The run that the address names."""
    found = re.search(r"[?&]run=([\w-]+)", page.url)
    assert found, page.url
    return found[1]


@pytest.mark.slow
def test_runs_are_named_opened_compared_and_deleted_and_back_goes_where_one_was(
    new_page: NewPage, served: Served
) -> None:
    runs = started(served, [QUICK.model_copy(update={"seed": seed}) for seed in (1, 2, 3)])
    wait_until(lambda: runs[-1].ended)
    page = new_page()
    come_back(page, runs[-1])
    until(page, "finished")
    expect(page.locator("#field-seed input")).to_have_value("3")
    assert shown(page) == runs[-1].id
    page.get_by_role("tab", name="My runs").click()
    rows = page.locator("#nayer-runs .run-list > li")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("seed 3")
    rows.nth(2).locator("summary").click()
    rows.nth(2).get_by_label("Name", exact=True).fill("My first")
    rows.nth(2).get_by_label("Notes").fill("It learns\nslowly.")
    rows.nth(2).get_by_role("button", name="Save").click()
    expect(rows.nth(2).locator("h4")).to_have_text("My first")
    expect(rows.nth(2).locator(".run-notes")).to_have_text("It learns\nslowly.")

    rows.nth(2).get_by_role("button", name="Open").click()
    expect(page.locator(".bar .standing")).to_contain_text("seed 1")
    expect(page.locator("#field-seed input")).to_have_value("1")
    assert shown(page) == runs[0].id
    page.reload()
    expect(page.locator(".bar .standing")).to_contain_text("seed 1")
    expect(page.locator("#field-seed input")).to_have_value("1")
    page.go_back()
    expect(rows.first).to_be_visible()
    assert "tab=runs" in page.url
    page.go_forward()
    expect(page.locator(".bar .standing")).to_contain_text("seed 1")
    page.go_back()

    for row in (0, 2):
        rows.nth(row).get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare 2 runs").click()
    comparison = page.locator(".run-comparison")
    heads = comparison.locator(".lab-table thead th")
    expect(heads.last).to_have_text("My first")
    expect(heads.nth(1)).to_contain_text("seed 3")
    expect(comparison.locator(".lab-table tbody tr").filter(has_text="seed")).to_have_text("seed31")
    assert comparison.locator("path.line").evaluate_all(
        "all => all.map((one) => one.getAttribute('d').length > 0)"
    ) == [
        True,
        True,
    ]
    assert findings(page) == []
    picture(page, "wide-light-runs")
    page.reload()
    expect(heads).to_have_count(3)
    page.go_back()
    expect(comparison).to_be_hidden()

    page.once("dialog", lambda dialog: dialog.dismiss())
    rows.nth(1).get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(3)
    page.once("dialog", lambda dialog: dialog.accept())
    rows.nth(1).get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(2)
    page.set_viewport_size({"width": 390, "height": 844})
    assert overflow(page) == 0
    picture(page, "narrow-light-runs")


@pytest.mark.slow
def test_the_address_of_a_run_lets_others_watch_and_an_older_run_on_show_does_not_end_the_one_in_progress(
    new_page: NewPage, served: Served
) -> None:
    lasting = {"rounds": 100_000, "seed": 5, "generator_steps": 30, "student_steps": 30}
    old, going = started(served, [QUICK, QUICK.model_copy(update=lasting)])
    page = new_page()
    come_back(page, going)
    until(page, "running")
    expect(page.locator("#field-seed input")).to_have_value("5")
    page.get_by_role("tab", name="My runs").click()
    page.locator("#nayer-runs .run-list > li").last.get_by_role("button", name="Open").click()
    until(page, "finished")
    assert shown(page) == old.id
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.click(".bar .play")
    page.wait_for_timeout(1000)
    assert asked == ["Your live run is still in progress. Starting this ends it. Its results stay. Start anyway?"]
    assert shown(page) == old.id
    page.go_back()
    page.go_back()
    until(page, "running")
    assert shown(page) == going.id
    other = new_page(390, 844, dark=True)
    other.goto(page.url)
    until(other, "running")
    expect(other.locator("#settings")).to_be_hidden()
    expect(other.locator(".bar .buttons")).to_be_hidden()
    other.get_by_role("tab", name="My runs").click()
    expect(other.locator("#nayer-runs")).to_contain_text("You have no runs here yet")
    assert findings(other) == []
    assert overflow(other) == 0
    page.click(".bar .stop")
    until(page, "stopped")
