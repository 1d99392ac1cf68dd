"""The web page of a run, opened from the disk with the network off: it plays, is scrubbed, and its pad answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.web_page.page import web_page
from nayer.events import StudentKept
from nayer.exports import recording
from tests.browser.auditing import findings, overflow
from tests.browser.browsing import PATIENCE, picture
from tests.browser.drawing import all_answer, draw, draw_by_touch, first_class, give, seen
from tests.support.repository import ROOT
from tests.support.scripted import SHORT, script

SHIPPED = ROOT / "docs" / "run.html"


@pytest.fixture
def opened(browser: Browser) -> Iterator[Page]:
    """The page of the documentation; nothing may go wrong and nothing may be fetched."""
    yield from _opened(browser, SHIPPED, 1400, dark=False)


@pytest.fixture
def on_a_phone(browser: Browser) -> Iterator[Page]:
    yield from _opened(browser, SHIPPED, 390, dark=True)


def _opened(browser: Browser, file: Path, width: int, *, dark: bool) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        offline=True,
        has_touch=width < 500,
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda asked: wrong.append(asked.url[:80]) if not asked.url.startswith(("file:", "data:", "blob:")) else None,
    )
    page.goto(file.as_uri())
    yield page
    context.close()
    assert wrong == []


def test_it_opens_from_the_disk_and_the_student_of_each_round_answers(opened: Page) -> None:
    expect(opened.locator(".samples .row:not(.live)")).to_have_count(24)
    assert opened.locator(".accuracy path.line").count() > 0
    draw(opened)
    all_answer(opened)
    opened.locator(".try select").select_option(label="apple")
    opened.get_by_role("button", name="Real test image").click()
    expect(first_class(opened, 2)).to_have_text("apple")
    expect(first_class(opened, 1)).to_have_text("apple")
    slider = opened.locator(".replay input[type=range]")
    slider.focus()
    slider.press("Home")
    expect(opened.locator(".try .answer").nth(1).locator(".note")).to_have_text("after 0 rounds")
    answers = [opened.locator(".try .answer").nth(one).locator("ol").inner_text() for one in (0, 1)]
    assert answers[0] == answers[1]
    slider.press("End")
    expect(first_class(opened, 1)).to_have_text("apple")
    assert findings(opened) == []
    assert overflow(opened) <= 0
    meter = opened.locator(".pool .meter").bounding_box()
    assert meter is not None
    assert meter["height"] == 8  # the styles of every panel are in the file
    marks = opened.locator(".diversity .legend i")
    assert marks.count() > 5
    assert [mark for mark in marks.all() if not mark.is_visible()] == []


@pytest.mark.slow
def test_it_works_on_a_phone_in_the_dark_by_finger_and_explains_itself(on_a_phone: Page) -> None:
    draw_by_touch(on_a_phone)
    all_answer(on_a_phone)
    give(on_a_phone, "drop", (20, 180, 40))
    expect(on_a_phone.locator(".try .notice")).to_be_hidden()
    expect(on_a_phone.get_by_role("img", name="What the network sees: your picture")).to_be_visible()
    assert seen(on_a_phone).getpixel((16, 16)) == (20, 180, 40)
    on_a_phone.get_by_role("button", name="Help: Generated images").click()
    expect(on_a_phone.locator(".help-card:popover-open")).not_to_contain_text("could not be loaded")
    expect(on_a_phone.locator(".help-card:popover-open a")).to_have_count(0)
    on_a_phone.keyboard.press("Escape")
    assert findings(on_a_phone) == []
    assert overflow(on_a_phone) <= 0
    picture(on_a_phone, "phone-dark-run-page")


@pytest.mark.slow
def test_it_plays_by_itself_where_motion_is_welcome(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900}, offline=True, reduced_motion="no-preference")
    page.goto(SHIPPED.as_uri())
    page.select_option(".replay select", "8")
    expect(page.locator(".samples .row:not(.live)").nth(3)).to_be_visible(timeout=PATIENCE)
    page.click(".replay .play-recording")
    expect(page.locator(".replay .play-recording")).to_have_text("Continue")
    page.close()


@pytest.mark.slow
def test_without_students_it_has_no_pad_and_says_so(browser: Browser, tmp_path: Path) -> None:
    events = list(recording.load(ROOT / "assets/recordings/emoji10.nayer"))
    for name, content in (
        ("none", [one for one in events if not isinstance(one, StudentKept)]),
        ("odd", script(SHORT)),
    ):
        file = tmp_path / f"{name}.html"
        file.write_bytes(web_page(list(content), b""))
        for page in _opened(browser, file, 1400, dark=False):
            expect(page.get_by_text("This page has no drawing pad")).to_be_visible()
            expect(page.locator(".try")).to_have_count(0)
            assert findings(page) == []
