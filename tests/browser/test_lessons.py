"""The lessons in a real browser: found by address, gone through with the keyboard, run for real."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.content.lessons import LESSONS
from tests.browser.browsing import NewPage
from tests.support.serving import Served


def test_the_address_opens_a_lesson_and_keys_go_on_from_there(new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{page.url.split('?')[0]}?seed=7&lesson=3")
    heading = page.locator(".lesson-card h2")
    expect(heading).to_have_text(LESSONS[2].title)
    expect(page.locator("#tour .heatmaps caption, #tour .heatmap").first).to_be_attached()
    page.keyboard.press("ArrowRight")
    expect(heading).to_have_text(LESSONS[3].title)
    assert "seed=7" in page.url
    assert "lesson=4" in page.url
    page.go_back()
    expect(heading).to_have_text(LESSONS[2].title)
    page.locator("#tour textarea").focus()
    page.keyboard.press("ArrowRight")
    expect(heading).to_have_text(LESSONS[2].title)  # whoever types moves in the text
    page.get_by_role("tab", name="Live").click()
    expect(page.locator(".bar .play")).to_be_visible()
    assert "lesson" not in page.url
    page.locator("#masthead a[data-lesson]").click()
    expect(heading).to_have_text(LESSONS[0].title)


@pytest.mark.slow
def test_a_lesson_runs_for_real_and_is_found_again_after_a_reload(new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{page.url}?lesson=1")
    expect(page.locator(".lesson-empty")).to_be_visible()
    page.locator(".lesson-card h2").click()
    page.keyboard.press("Space")
    live = page.locator("#tour .lesson-live")
    expect(live).to_have_attribute("data-state", "running")
    page.wait_for_function("document.querySelectorAll('#tour .arm-row').length >= 2")
    assert [one.split("\n")[0] for one in live.locator(".arm").all_inner_texts()] == [
        name for name, _ in LESSONS[0].arms
    ]
    page.keyboard.press("Space")
    expect(live).to_have_attribute("data-state", "paused")
    page.reload()
    expect(live).to_have_attribute("data-state", "paused")
    page.get_by_role("button", name="Stop").locator("visible=true").click()
    expect(live).to_have_attribute("data-state", "stopped")
    expect(live.locator(".verdicts")).to_be_visible()


def test_a_lesson_shows_that_its_run_will_give_way(
    new_page: NewPage, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = new_page()
    page.goto(f"{page.url}?lesson=1")
    page.locator(".lesson-run").click()
    expect(page.locator("#tour .lesson-live")).to_have_attribute("data-state", "running")
    monkeypatch.setattr(served.registry._places, "warning", lambda _: "This run has had its turn.")
    expect(page.locator("#tour .keeping")).to_have_text("This run has had its turn.")
    page.locator(".lesson-stop").click()
    expect(page.locator("#tour .keeping")).to_have_text("")
