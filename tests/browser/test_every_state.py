"""axe-core on every tab in every theme and at both widths, empty and with what runs leave behind."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.auditing import findings, overflow
from tests.browser.browsing import NewPage, close_settings, open_details, open_settings


def sound(page: Page, where: str) -> None:
    assert findings(page) == [], where
    assert overflow(page) == 0, where


def opened(page: Page, tab: str) -> Page:
    page.get_by_role("tab", name=tab, exact=True).click()
    page.locator(".nayer .card:visible").first.wait_for()
    return page


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_nothing_is_found_in_any_state(new_page: NewPage, width: int, dark: bool) -> None:
    page = new_page(width=width, dark=dark)
    for tab in ("Live", "Reset lab", "Embeddings", "Learn"):
        sound(opened(page, tab), f"{tab}, empty")
    opened(page, "Live")
    open_settings(page)
    sound(page, "the settings")
    page.fill("#field-rounds input", "0")
    close_settings(page)
    page.click(".bar .play")
    page.locator("#nayer-stage > .notice").wait_for()
    sound(page, "a refusal")
    open_settings(page)
    page.click("#field-teacher input")
    page.get_by_role("option", name="digits").first.click()
    page.fill("#field-rounds input", "4")
    page.click("#all-settings > button")
    close_settings(page)
    page.click(".bar .play")
    expect(page.locator(".bar")).to_have_attribute("data-state", "finished", timeout=180_000)
    open_details(page)
    page.locator(".card.losses summary").click()
    sound(page, "a run and all settings")
    page.locator(".diversity button.help").first.click()
    page.locator(".help-card:popover-open a").wait_for()
    sound(page, "an explanation")
    page.keyboard.press("Escape")
    page.locator(".diversity svg.chart").first.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.locator("dialog.batch-dialog[open]").wait_for()
    sound(page, "the images of a point")
    page.keyboard.press("Escape")
    sound(opened(page, "Embeddings"), "embeddings beside a run")
    opened(page, "Reset lab").select_option("#lab-teacher", "digits")
    page.click("[data-name=own]")
    page.get_by_role("button", name="Add a setting of the first arm").click()
    sound(page, "arms of one's own")
    page.click("[data-name=reset]")
    page.fill("#lab-work", "4")
    page.select_option("#lab-repeats", "3")
    page.get_by_role("button", name="Run the comparison").click()
    expect(page.locator("#nayer-lab")).to_have_attribute("data-state", "finished", timeout=120_000)
    sound(page, "a lab that has run")
    page.locator("button:visible", has_text="Class code").click()
    page.locator("dialog.class-card[open] img").wait_for()
    sound(page, "the code of a class")
    page.keyboard.press("Escape")
    opened(page, "Learn").get_by_role("button", name="Look at a finished run").click()
    page.locator("#tour .example .arm-row").first.wait_for()
    sound(page, "a finished example of a lesson")
    page.locator(".lesson-question input").first.check()
    page.locator(".lesson-run").click()
    expect(page.locator("#tour .lesson-live")).to_have_attribute("data-state", "finished", timeout=180_000)
    sound(page, "a lesson that has run")
    page.get_by_role("link", name="Join a class").click()
    page.locator(".class-strip form").wait_for()
    sound(page, "joining a class")
