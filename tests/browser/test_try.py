"""Try it yourself, in a real browser: drawn with a mouse, a finger and the keys, and answered by the networks."""

from __future__ import annotations

import io
import re

from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.auditing import findings, overflow
from tests.browser.browsing import NewPage, close_settings, open_settings, picture, quick, until
from tests.browser.drawing import ONE, draw, seen


def first(page: Page, network: int) -> str:
    """The class that a network puts first: 0 the untrained student, 1 the student, 2 the teacher."""
    return page.locator(".try .answer").nth(network).locator(".name").first.inner_text()


def digits(page: Page) -> None:
    open_settings(page)
    page.click("#field-teacher input")
    page.get_by_role("option", name="digits").first.click()
    close_settings(page)
    expect(page.locator(".try select option")).to_have_count(11)


def test_a_drawn_seven_is_a_seven_and_another_drawing_is_answered_anew(new_page: NewPage) -> None:
    page = new_page()
    digits(page)
    draw(page)
    expect(page.locator(".try .answer").nth(2).locator(".name").first).to_have_text("seven")
    assert first(page, 1) == "–"
    expect(page.locator(".try .sentence")).to_contain_text("No student is learning yet")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".try .answer").nth(2).locator(".name").first).to_have_text("–")
    draw(page, ONE)
    expect(page.locator(".try .answer").nth(2).locator(".name").first).to_have_text("one")
    assert findings(page) == []


def test_the_answers_of_the_student_follow_its_rounds(new_page: NewPage) -> None:
    page = new_page(address=quick())
    page.click(".bar .play")
    until(page, "running")
    draw(page)
    after = page.locator(".try .answer").nth(1).locator(".note")
    expect(after).to_contain_text("after")
    before = after.inner_text()
    expect(after).not_to_have_text(before)
    page.click(".bar .stop")
    until(page, "stopped")
    picture(page, "wide-light-try")


def test_the_keys_draw_what_a_mouse_draws(new_page: NewPage) -> None:
    page = new_page(390, 844, dark=True)
    digits(page)
    page.locator(".try canvas[role=application]").focus()
    for _ in range(8):
        page.keyboard.press("ArrowUp")
    page.keyboard.press(" ")  # on the page itself it would start a run
    for _ in range(16):
        page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(page.locator(".try .answer").nth(2).locator(".name").first).to_have_text("one")
    assert page.locator(".bar").get_attribute("data-state") == "empty"
    expect(page.locator(".try [role=status]")).to_contain_text("Teacher: one")
    assert findings(page) == []
    assert overflow(page) <= 0
    picture(page, "phone-dark-try")


def test_the_answer_to_the_finished_drawing_is_read_out(new_page: NewPage) -> None:
    page = new_page()
    digits(page)
    held: list[Route] = []
    page.route(re.compile("/try$"), lambda route: route.continue_() if held else held.append(route))
    page.locator(".try canvas[role=application]").focus()
    for key in [*["ArrowUp"] * 8, " ", *["ArrowDown"] * 3]:
        page.keyboard.press(key)
    while not held:  # the first request is for a part of the drawing
        page.wait_for_timeout(20)
    for key in [*["ArrowDown"] * 13, " "]:
        page.keyboard.press(key)
    held[0].continue_()
    expect(page.locator(".try [role=status]")).to_contain_text("Teacher: one, 9")  # of the part it is less sure


def test_a_real_image_and_a_photo_are_shown_as_the_network_sees_them(new_page: NewPage) -> None:
    page = new_page()
    page.locator(".try select").select_option(label="banana")
    page.get_by_role("button", name="Real test image").click()
    expect(page.locator(".try .sentence")).to_contain_text("a real test image of the class “banana”")
    content = io.BytesIO()
    Image.new("RGB", (640, 480), (200, 30, 60)).save(content, "PNG")
    page.set_input_files(
        ".try input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": content.getvalue()}
    )
    expect(page.locator(".try .sentence")).not_to_contain_text("real test image")
    assert seen(page).size == (32, 32)
    assert seen(page).getpixel((16, 16)) == (200, 30, 60)
    page.set_input_files(".try input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(page.locator(".try .notice")).to_have_text(
        "This file cannot be read as a picture; choose a PNG or a JPEG file."
    )
