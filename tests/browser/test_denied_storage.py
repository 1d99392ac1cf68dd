"""A browser that denies the page its storage: that costs the convenience of a reload, not the run."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import NewPage, grown, prepare, until

DENIED = """
for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("Access is denied.", "SecurityError"); } });
"""


@pytest.fixture
def denied(new_page: NewPage) -> Page:
    page = new_page()
    page.add_init_script(DENIED)
    page.reload()
    page.wait_for_selector(".bar .play")
    assert page.evaluate("(() => { try { return localStorage.length; } catch (error) { return error.name; } })()") == (
        "SecurityError"
    )
    return page


def test_play_starts_a_run_that_is_seen_and_commanded(denied: Page) -> None:
    prepare(denied)
    denied.click(".bar .play")
    until(denied, "running")
    grown(denied, 2)
    denied.click(".bar .play")
    until(denied, "paused")
    denied.click(".bar .stop")
    until(denied, "stopped")
    denied.click(".bar .play")  # the token is kept, so the next run is the same visitor's
    until(denied, "running")
    denied.click(".bar .stop")
    until(denied, "stopped")


def test_the_lab_starts_arms_that_are_seen(denied: Page) -> None:
    denied.get_by_role("tab", name="Reset lab").click()
    denied.select_option("#lab-teacher", "digits")
    denied.fill("#lab-work", "2000")
    denied.get_by_role("button", name="Run the comparison").click()
    denied.wait_for_function("document.querySelectorAll('#nayer-lab .arm-row').length > 0")
    denied.locator("#nayer-lab .lab-stop").click()
    expect(denied.locator("#nayer-lab")).to_have_attribute("data-state", "stopped")
