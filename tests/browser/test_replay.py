"""The recording in a real browser: it plays on arrival and in the queue, and whoever looks holds the time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from app.environment import RECORDING, Environment
from tests.browser.browsing import NewPage, grown, picture, prepare, rows, until
from tests.support.serving import Served, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(environment=Environment(grace_seconds=60.0, capacity=1, recording=RECORDING)) as served:
        yield served


def time_shown(page: Page) -> float:
    return float(page.locator(".replay input[type=range]").input_value())


def test_it_plays_on_arrival_and_can_be_held_sought_and_left(new_page: NewPage) -> None:
    page = new_page(calm=False)
    expect(page.locator(".replay")).to_contain_text("a recording of an earlier run")
    grown(page, 1)
    page.select_option(".replay select", "8")
    before = time_shown(page)
    page.wait_for_function("before => document.querySelector('.replay input').valueAsNumber > before", arg=before)
    picture(page, "wide-light-recording")

    page.click(".replay .play-recording")
    expect(page.locator(".replay .play-recording")).to_have_text("Continue")
    held = time_shown(page)
    slider = page.locator(".replay input[type=range]")
    slider.focus()
    slider.press("End")
    last = rows(page)
    assert time_shown(page) > held
    assert page.evaluate("document.querySelectorAll('.accuracy path.line').length") > 0
    slider.press("Home")
    assert rows(page) < last
    expect(slider).to_have_attribute("aria-valuetext", page.locator(".replay .figure").inner_text())

    prepare(page)
    page.click(".bar .play")
    until(page, "running")
    expect(page.locator(".replay")).to_have_count(0)
    grown(page, 2)
    page.click(".bar .stop")
    until(page, "stopped")
    page.get_by_role("button", name="Replay this run").click()
    expect(page.locator(".replay")).to_contain_text("a recording of the run that has ended")
    page.get_by_role("button", name="Close").click()
    page.locator(".sharing summary").click()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as a recording").click()
    assert saved.value.suggested_filename == "run.nayer"
    expect(page.locator(".replay")).to_have_count(0)


@pytest.mark.slow
def test_whoever_waits_sees_it_and_whoever_wants_no_motion_sees_its_end(new_page: NewPage) -> None:
    first, second = new_page(), new_page(390, 844, dark=True)
    expect(second.locator(".replay .play-recording")).to_have_text("Play again")
    grown(second, 1)
    picture(second, "phone-dark-recording")
    assert second.evaluate("document.documentElement.scrollWidth") <= 390
    prepare(first)
    first.click(".bar .play")
    until(first, "running")
    second.click(".bar .play")
    until(second, "queued")
    expect(second.locator(".replay")).to_contain_text("Your run is waiting for a free slot")
    first.click(".bar .stop")
    until(second, "running")
    expect(second.locator(".replay")).to_have_count(0)
    second.click(".bar .stop")
