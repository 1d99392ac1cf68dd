"""A visitor's own runs, in a real browser: named, opened, compared and deleted; Back and reload find them again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.auditing import findings, overflow
from tests.browser.browsing import NewPage, grown, picture, prepare, until


def play(page: Page, seed: int, rounds: int = 3) -> str:
    """Plays a run to its end and gives its id, as the address names it."""
    page.fill("#field-rounds input", str(rounds))
    page.fill("#field-seed input", str(seed))
    page.keyboard.press("Tab")
    before = page.url
    page.click(".bar .play")
    page.wait_for_function("before => location.href !== before", arg=before)
    until(page, "finished")
    return shown(page)


def shown(page: Page) -> str:
    found = re.search(r"[?&]run=([\w-]+)", page.url)
    assert found, page.url
    return found[1]


def open_list(page: Page) -> None:
    page.get_by_role("tab", name="My runs").click()
    page.locator("#nayer-runs .run-list li").first.wait_for()


@pytest.mark.slow
def test_runs_are_named_opened_compared_and_deleted_and_back_goes_where_one_was(new_page: NewPage) -> None:
    page = new_page()
    prepare(page, 3)
    runs = [play(page, seed) for seed in (1, 2, 3)]
    open_list(page)
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
    assert shown(page) == runs[0]
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
    expect(comparison.locator("thead th")).to_have_text(["run", "Handwritten digits, NAYER, seed 3", "My first"])
    expect(comparison.locator("tbody tr").filter(has_text="seed")).to_contain_text("31")
    assert comparison.locator("path.line").evaluate_all(
        "all => all.map((one) => one.getAttribute('d').length > 0)"
    ) == [
        True,
        True,
    ]
    assert findings(page) == []
    picture(page, "wide-light-runs")
    page.reload()
    expect(comparison.locator("thead th")).to_have_count(3)
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
def test_the_address_of_a_run_lets_others_watch_it_and_an_older_run_does_not_end_the_one_in_progress(
    new_page: NewPage,
) -> None:
    page = new_page()
    prepare(page, 3)
    old = play(page, 1)
    page.fill("#field-rounds input", "500")
    page.keyboard.press("Tab")
    page.click(".bar .play")
    until(page, "running")
    grown(page, 1)
    going = shown(page)
    assert going != old
    page.go_back()
    expect(page.locator(".bar .standing")).to_contain_text("seed 1")
    until(page, "finished")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.click(".bar .play")
    page.wait_for_timeout(500)
    assert asked == ["Your live run is still in progress. Starting this ends it. Its results stay. Start anyway?"]
    page.go_forward()
    until(page, "running")
    assert shown(page) == going
    other = new_page(390, 844, dark=True)
    other.goto(page.url)
    until(other, "running")
    expect(other.locator("#settings")).to_be_hidden()
    expect(other.locator(".bar .buttons")).to_be_hidden()
    other.get_by_role("tab", name="My runs").click()
    expect(other.locator("#nayer-runs")).to_contain_text("You have no runs here yet")
    assert findings(other) == []
    other.goto(page.url.split("?")[0] + "?run=nobodys")
    expect(other.locator(".notice").first).to_be_visible()
    page.click(".bar .stop")
    until(page, "stopped")


@pytest.mark.slow
def test_a_lab_asks_before_it_ends_a_live_run(new_page: NewPage) -> None:
    page = new_page()
    prepare(page)
    page.click(".bar .play")
    until(page, "running")
    page.get_by_role("tab", name="Reset lab").click()
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="Run side by side").click()
    page.wait_for_timeout(500)
    assert len(asked) == 1
    assert asked[0].startswith("Your live run is still in progress.")
    page.get_by_role("tab", name="Live").click()
    until(page, "running")
    page.click(".bar .stop")
    until(page, "stopped")
