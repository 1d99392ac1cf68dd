"""The page in a real browser, on real runs of the digits teacher. Tests alone leave pictures in screenshots/."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from nayer.config import Config
from nayer.networks import cards
from tests.browser.browsing import PATIENCE, NewPage, grown, open_details, picture, prepare, quick, rows, state, until


def test_play_pause_step_reload_stop(new_page: NewPage) -> None:
    page = new_page()
    expect(page.get_by_text("No images yet")).to_be_visible()
    picture(page, "wide-light-empty")
    prepare(page)
    page.click(".bar .play")
    until(page, "running")
    grown(page, 4)
    page.wait_for_function("document.querySelector('.accuracy path.line').getAttribute('d')?.split('L').length >= 3")
    assert page.locator(".samples .row:not(.live)").first.locator(".cell").count() == 10
    assert page.locator(".map .anchors g").count() == 10
    page.wait_for_function("document.querySelectorAll('.map .outputs circle').length > 0")
    picture(page, "wide-light-running")

    page.click(".bar .play")
    until(page, "paused")
    # the step that was under way ends first, and the page hears of it with its next question
    held = ""
    while held != (held := page.inner_text(".standing")):
        page.wait_for_timeout(1500)
    page.wait_for_timeout(1500)
    assert page.inner_text(".standing") == held
    before = page.inner_text(".standing .first ~ span")
    for _ in range(2):  # the first ends the round in which the run was paused, the second is in the next one
        page.click("[data-step=round]")
        page.wait_for_timeout(2000)
        until(page, "paused")
    assert page.inner_text(".standing .first ~ span") != before
    assert "The teacher" in page.inner_text(".story") or "." in page.inner_text(".story")
    picture(page, "wide-light-paused")

    run = page.evaluate("JSON.parse(localStorage.getItem('nayer-run')).run")
    page.click(".bar .play")
    until(page, "running")
    page.reload()
    page.wait_for_selector(".bar .play")
    until(page, "running")
    grown(page, 4)
    assert page.evaluate("JSON.parse(localStorage.getItem('nayer-run')).run") == run
    expect(page.locator("#field-rounds input")).to_have_value("500")
    assert "igits" in page.locator("#field-teacher input").input_value()

    page.click(".bar .stop")
    until(page, "stopped")
    expect(page.locator(".bar .play")).to_have_text("Play again")
    picture(page, "wide-light-stopped")


def test_before_a_run_the_line_beside_the_diagram_fits_what_can_be_seen(new_page: NewPage) -> None:
    page = new_page()
    story = page.locator(".diagram-card .story")
    expect(story).to_contain_text("The student learns from its answers.")
    page.get_by_text("How it works", exact=True).first.click()
    expect(story).to_contain_text("Point at a part")
    page.locator(".diagram .part").first.hover()
    expect(story).to_contain_text("the names of the classes")


def test_a_command_that_does_not_arrive_leaves_the_button_as_it_was(new_page: NewPage) -> None:
    page = new_page(address=quick())
    page.click(".bar .play")
    until(page, "running")
    for address in ("**/command/pause", "**/status?*"):
        page.route(address, lambda route: route.fulfill(body=""))  # no answer
    with page.expect_response("**/command/pause"):
        page.click(".bar .play")
    expect(page.locator(".bar .play")).to_have_text("Pause")
    page.unroute_all()
    page.click(".bar .stop")
    until(page, "stopped")


def test_keys_play_step_and_redraw_but_not_while_typing(new_page: NewPage) -> None:
    page = new_page(address=quick())
    page.locator("#field-seed input").focus()
    page.keyboard.press("r")
    page.keyboard.press(".")
    assert state(page) == "empty"
    page.locator(".masthead, #masthead").first.click()
    page.keyboard.press("r")
    until(page, "paused")
    expect(page.locator(".story")).to_contain_text("start with random weights")
    page.keyboard.press(".")
    expect(page.locator(".story")).to_contain_text("Step 1 of 3")
    page.keyboard.press("Space")
    until(page, "running")
    grown(page, 1)
    page.keyboard.press("Space")
    until(page, "paused")


@pytest.mark.slow
def test_slow_motion_says_each_step_with_its_numbers(new_page: NewPage) -> None:
    page = new_page(dark=True, calm=False)
    prepare(page)
    page.click(".bar .play")
    grown(page, 3)
    page.click(".bar .slow")
    expect(page.locator(".bar .slow")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".story")).to_contain_text("of 20 images; cross-entropy", timeout=PATIENCE)
    assert page.locator(".diagram .part.lit").count() >= 1
    page.locator(".samples .row:not(.live) .cell").nth(3).hover()
    expect(page.locator(".tip")).to_contain_text("three")
    assert page.locator(".map .anchors g:not(.dim)").count() == 1
    picture(page, "wide-dark-slow")


def test_a_phone_scrolls_down_only(new_page: NewPage) -> None:
    page = new_page(390, 844, address=quick(6))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click(".bar .play")
    until(page, "finished")
    assert rows(page) == 6
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cut = "buttons => buttons.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
    assert page.locator(".bar button:visible").evaluate_all(cut) == []
    page.evaluate("scrollTo(0, 900)")
    box = page.locator(".bar").bounding_box()
    assert box is not None
    assert -1 <= box["y"] <= 20
    picture(page, "narrow-light")
    page.emulate_media(color_scheme="dark")
    picture(page, "narrow-dark")


def test_a_wrong_value_is_one_sentence_and_nothing_is_lost(new_page: NewPage) -> None:
    page = new_page()
    page.fill("#field-rounds input", "0")
    page.fill("#field-seed input", "17")
    page.keyboard.press("Tab")
    page.click(".bar .play")
    expect(page.locator("div.notice")).to_have_text("rounds must be a whole number from 1 to 100,000; 0 was given.")
    expect(page.locator("#field-seed input")).to_have_value("17")
    assert state(page) == "empty"
    picture(page, "wide-light-refused")


def test_a_run_that_fails_says_why_and_the_page_goes_on(new_page: NewPage) -> None:
    page = new_page(address=quick(3))
    page.click("#all-settings > button")
    page.get_by_role("button", name="The input of the generator").click()
    page.wait_for_timeout(400)
    page.fill("#field-encoder input, #field-encoder textarea", "./nowhere")
    page.keyboard.press("Tab")
    page.click(".bar .play")
    until(page, "failed")
    expect(page.locator("div.notice")).to_contain_text("./nowhere")
    page.fill("#field-encoder input, #field-encoder textarea", Config().encoder)
    page.keyboard.press("Tab")
    page.click(".bar .play")
    until(page, "finished")
    expect(page.locator("div.notice")).to_be_hidden()
    expect(page.locator(".notes")).to_contain_text("not flipped")


def test_a_preset_fills_the_form_and_leaves_teacher_and_seed(new_page: NewPage) -> None:
    page = new_page()
    page.fill("#field-seed input", "5")
    page.click("#field-preset input")
    page.get_by_role("option", name="NAYER, full size").click()
    expect(page.locator("#field-rounds input")).to_have_value("400")
    expect(page.locator("#field-preset")).to_contain_text("needs a GPU")
    expect(page.locator("#field-seed input")).to_have_value("5")


@pytest.mark.slow
def test_two_visitors_have_two_runs_and_a_stranger_sees_nothing(new_page: NewPage) -> None:
    one, other = new_page(), new_page()
    prepare(one)
    one.click(".bar .play")
    grown(one, 1)
    assert state(other) == "empty"
    prepare(other)
    other.click(".bar .play")
    grown(other, 1)
    ids = {page.evaluate("JSON.parse(localStorage.getItem('nayer-run')).run") for page in (one, other)}
    assert len(ids) == 2
    other.click(".bar .stop")
    until(other, "stopped")
    assert state(one) == "running"


def test_every_picture_has_words_and_every_curve_a_table(new_page: NewPage) -> None:
    page = new_page(address=quick(4))
    page.click(".bar .play")
    until(page, "finished")
    summaries = page.locator("#nayer-stage svg.chart, #nayer-stage svg.map").evaluate_all(
        "pictures => pictures.map((picture) => picture.getAttribute('aria-label'))"
    )
    assert len(summaries) == 11
    assert not [summary for summary in summaries if "no value" in summary.lower() or "empty" in summary]
    page.locator(".accuracy .numbers summary").click()
    expect(page.locator(".accuracy .numbers tbody tr")).to_have_count(5)  # made as the table is opened
    cells = page.locator(".samples .row:not(.live) .cell")
    assert "the teacher predicts" in str(cells.first.get_attribute("aria-label"))
    unnamed = page.locator("#nayer-bar button, #nayer-stage button").evaluate_all(
        "buttons => buttons.filter((button) => !(button.textContent || button.getAttribute('aria-label'))).length"
    )
    assert unnamed == 0


def test_the_server_says_at_the_foot_of_the_page_how_it_is(new_page: NewPage) -> None:
    page = new_page(width=700)
    panel = page.locator("#nayer-status")
    assert not panel.locator("dl").is_visible()
    panel.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_text("of 8", exact=False).first).to_be_visible()
    facts = page.request.get(f"{page.url}health").json()
    assert f"gradio {facts['versions']['gradio']}" in panel.inner_text()
    assert panel.locator("dt").count() == panel.locator("dd").count() > 8
    panel.scroll_into_view_if_needed()
    picture(page, "status")


@pytest.mark.slow
def test_a_hidden_tab_asks_rarely_and_comes_back_to_where_the_run_is(new_page: NewPage) -> None:
    page = new_page(address=quick())
    page.click(".bar .play")
    until(page, "running")
    grown(page, 2)
    hide = """hidden => {
        Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    page.wait_for_timeout(1500)  # what was under way is answered
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/status" in request.url else None)
    before = page.inner_text(".standing")
    page.wait_for_timeout(4000)
    assert not asked
    page.evaluate(hide, False)
    page.wait_for_function("before => document.querySelector('.standing').innerText !== before", arg=before)
    assert len(asked) <= 3  # at once, and not all that was missed
    page.click(".bar .stop")


def test_a_judge_draws_a_curve_and_where_there_is_none_the_page_says_why(
    new_page: NewPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "JUDGES", tmp_path)
    page = new_page(address=quick())
    chart, sentence = page.get_by_label(re.compile("^second opinion: ")).first, page.locator(".no-opinion")
    open_details(page)
    page.click(".bar .play")
    grown(page, 2)
    expect(sentence).to_contain_text("this run has no judge")
    expect(chart).to_be_hidden()
    page.click(".bar .stop")
    until(page, "stopped")

    shutil.copytree(cards.SHIPPED / "digits", tmp_path / "digits")  # the teacher itself judges: it names most of them
    page.click(".bar .play")
    grown(page, 2)
    expect(chart).to_be_visible()
    expect(chart).to_have_attribute(
        "aria-label", re.compile(r"^second opinion: \d+\s% of the wanted class after round \d+")
    )
    expect(sentence).to_be_hidden()
    picture(page, "wide-light-second-opinion")
    page.click(".bar .stop")
    until(page, "stopped")
