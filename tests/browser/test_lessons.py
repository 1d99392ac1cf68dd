"""The lessons in a real browser: found by address, gone through with the keyboard, run for real."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.content.lessons import LESSONS
from tests.browser.browsing import NewPage, picture
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
def test_a_lesson_is_predicted_run_seen_noticed_and_found_again_after_a_reload(new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{page.url}?lesson=1")
    concluded = page.locator(".lesson-concluded")
    expect(page.locator(".lesson-empty")).to_be_visible()
    expect(concluded).to_be_hidden()  # nothing is told before it is seen
    page.locator(".lesson-card h2").click()
    page.keyboard.press("Space")
    expect(page.locator(".lesson-control .notice")).to_have_text("Answer the question first.")
    page.get_by_label(LESSONS[0].predict.answers["less"]).check()
    page.locator(".lesson-card h2").click()
    page.keyboard.press("Space")
    live = page.locator("#tour .lesson-live")
    expect(live).to_have_attribute("data-state", "running")
    page.wait_for_function("document.querySelectorAll('#tour .arm-row').length >= 2")
    assert [one.split("\n")[0] for one in live.locator(".lab-shown:visible .arm").all_inner_texts()] == [
        name for name, _ in LESSONS[0].arms
    ]
    expect(live.locator(".lab-shown:visible .rules line.chance").first).to_be_attached()  # guessing
    expect(concluded).to_be_hidden()
    page.keyboard.press("Space")
    expect(live).to_have_attribute("data-state", "paused")
    page.reload()
    expect(live).to_have_attribute("data-state", "paused")
    page.get_by_role("button", name="Stop").locator("visible=true").click()
    expect(live).to_have_attribute("data-state", "stopped")
    expect(live.locator(".verdicts:visible")).to_be_visible()


def test_a_finished_run_is_there_before_any_and_says_whether_a_prediction_came_true(new_page: NewPage) -> None:
    page = new_page(1400, 1000)
    number = 4
    lesson = LESSONS[number - 1]
    option = lesson.choice.options[lesson.choice.chosen]
    page.goto(f"{page.url}?lesson={number}")
    page.get_by_role("button", name="Look at a finished run").click()
    expect(page.locator("#tour .example .arm")).to_have_count(len(lesson.arms) + 1)
    expect(page.locator("#tour .example .arm-row").first).to_be_visible()
    expect(page.locator("#tour .example .whose").first).to_contain_text("Mean of 3 seeds")
    concluded = page.locator(".lesson-concluded")
    expect(concluded).to_contain_text(option.shows)
    assert option.outcome is not None
    for outcome, said in ((option.outcome, "came"), ("same" if option.outcome != "same" else "more", "did not come")):
        page.get_by_label(lesson.predict.answers[outcome]).check()
        expect(concluded).to_contain_text(f"Your prediction {said} true.")
    picture(page, "lesson-example-wide-light")
    concluded.get_by_role("link").click()
    expect(page.locator("#lab .custom-arm")).to_have_count(len(lesson.arms) + 1)
    expect(page.locator("#lab .custom-arm").last.get_by_label("Name")).to_have_value(option.label)
    assert page.locator("#lab-repeats").input_value() == "3"
    page.go_back()
    expect(page.locator(".lesson-card h2")).to_have_text(lesson.title)
    phone = new_page(390, 844, dark=True)
    phone.goto(f"{phone.url}?lesson={number}")
    phone.get_by_role("button", name="Look at a finished run").click()
    expect(phone.locator("#tour .example .arm-row").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    picture(phone, "lesson-example-narrow-dark")


@pytest.mark.slow
def test_a_lesson_shows_that_its_run_will_give_way(
    new_page: NewPage, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = new_page()
    page.goto(f"{page.url}?lesson=1")
    page.locator(".lesson-question input").first.check()
    page.locator(".lesson-run").click()
    expect(page.locator("#tour .lesson-live")).to_have_attribute("data-state", "running")
    monkeypatch.setattr(served.registry._scheduler, "warning", lambda _: "This run has had its turn.")
    expect(page.locator("#tour .keeping")).to_have_text("This run has had its turn.")
    page.locator(".lesson-stop").click()
    expect(page.locator("#tour .keeping")).to_have_text("")


def test_the_link_of_a_lesson_whose_runs_are_gone_says_so(new_page: NewPage) -> None:
    page = new_page()
    other = page.context.new_page()  # its console has the browser's own line on the answer 404
    other.goto(f"{page.url.split('?')[0]}?lesson=2&lab={'A' * 16}")
    expect(other.get_by_text("The runs of this link do not exist, or are no longer kept.")).to_be_visible()
    other.close()
