"""Try it yourself where nobody runs anything: on a recording, in the queue, on a watch link; by finger, by a drop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from app.environment import RECORDING, Environment
from tests.browser.auditing import findings, overflow
from tests.browser.browsing import PATIENCE, NewPage, picture, prepare, until
from tests.browser.drawing import ONE, all_answer, draw, draw_by_touch, first_class, give, seen
from tests.support.serving import Served, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(environment=Environment(grace_seconds=60.0, capacity=1, recording=RECORDING)) as served:
        yield served


def test_on_a_recording_the_student_of_the_round_on_show_answers_in_the_browser(new_page: NewPage) -> None:
    page = new_page()
    expect(page.locator(".accuracy .legend .key").last).to_contain_text("95.2")  # the recording has begun
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/try") else None)
    page.locator(".try select").select_option(label="apple")
    page.get_by_role("button", name="Real test image").click()
    all_answer(page)
    expect(page.locator(".try .sentence")).to_contain_text("This is a real test image of the class “apple”")
    after = page.locator(".try .answer").nth(1).locator(".note")
    expect(after).to_have_text("after 30 rounds")
    learned = page.locator(".try .answer").nth(1).locator("ol").inner_text()
    slider = page.locator(".replay input[type=range]")
    slider.focus()
    slider.press("Home")
    expect(after).to_have_text("after 0 rounds")
    untrained, now = (page.locator(".try .answer").nth(one).locator("ol").inner_text() for one in (0, 1))
    assert now == untrained != learned
    slider.press("End")
    expect(after).to_have_text("after 30 rounds")
    assert page.locator(".try .answer").nth(1).locator("ol").inner_text() == learned
    assert asked == []


@pytest.mark.slow
def test_who_waits_for_a_place_asks_the_recording(new_page: NewPage) -> None:
    first, second = new_page(), new_page(390, 844, dark=True)
    prepare(first)
    first.click(".bar .play")
    until(first, "running")
    second.click(".bar .play")
    until(second, "queued")
    expect(second.locator(".replay")).to_contain_text("Your run is waiting for a free slot")
    draw(second, ONE)
    all_answer(second)
    expect(second.locator(".try .answer").nth(1).locator(".note")).to_have_text("after 30 rounds")
    assert findings(second) == []
    assert overflow(second) <= 0
    picture(second, "phone-dark-queue-try")
    second.click(".bar .stop")
    first.click(".bar .stop")


@pytest.mark.slow
def test_whoever_watches_asks_the_student_that_learns(new_page: NewPage, served: Served) -> None:
    page = new_page()
    prepare(page)
    page.click(".bar .play")
    until(page, "running")
    watcher = new_page()
    watcher.goto(f"{served.url}/?watch={page.evaluate('JSON.parse(localStorage.getItem(`nayer-run`)).run')}")
    until(watcher, "running")
    draw(watcher)
    all_answer(watcher)
    expect(first_class(watcher, 2)).to_have_text("seven")
    after = watcher.locator(".try .answer").nth(1).locator(".note")
    before = after.inner_text()
    expect(after).not_to_have_text(before)
    watcher.get_by_role("button", name="Real test image").click()
    expect(watcher.locator(".try .sentence")).to_contain_text("This is a real test image")
    page.click(".bar .stop")
    until(page, "stopped")


@pytest.mark.slow
def test_a_finger_draws_on_a_phone_and_the_page_stays_where_it_is(browser: Browser, served: Served) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(served.url)
    page.locator(".replay .play-recording").click()  # it holds
    page.locator(".try canvas[role=application]").scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    draw_by_touch(page)
    all_answer(page)
    assert page.evaluate("scrollY") == pytest.approx(before, abs=2)
    assert sum(seen(page).convert("L").histogram()[:128]) > 32  # of 32 × 32 pixels
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_that_is_dropped_or_pasted_is_shown_as_the_network_sees_it(new_page: NewPage, kind: str) -> None:
    page = new_page()
    page.locator(".try").scroll_into_view_if_needed()
    give(page, kind, (200, 30, 60))
    all_answer(page)
    assert seen(page).getpixel((16, 16)) == (200, 30, 60)
