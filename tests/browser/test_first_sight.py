"""What a visitor sees first, in a real browser: images, three numbers, and text that can be read at every size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Page, expect

from app.environment import RECORDING, Environment
from tests.browser.auditing import findings, overflow
from tests.browser.browsing import NewPage, open_details, open_settings, picture, until
from tests.support.serving import Served, serving

LEAST = 12  # px
SIZES = """scope => [...document.querySelectorAll(scope)].filter((one) =>
    one.getClientRects().length && !one.closest(".visually-hidden") &&
    [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
).map((one) => {
    const matrix = one instanceof SVGElement ? one.getScreenCTM() : null;
    const scale = matrix ? Math.hypot(matrix.a, matrix.b) : (one.currentCSSZoom ?? 1);
    return [one.textContent.trim().slice(0, 30), parseFloat(getComputedStyle(one).fontSize) * scale];
})"""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(environment=Environment(grace_seconds=60.0, recording=RECORDING)) as served:
        yield served


def small(page: Page, least: float = LEAST, scope: str = "#masthead *, #tabs *") -> list[tuple[str, float]]:
    return [(text, size) for text, size in page.evaluate(SIZES, scope) if size < least - 0.05]


def shown(page: Page, kind: str) -> int:
    script = f"document.querySelectorAll('.overview .picture.{kind}[style*=url]').length"
    page.wait_for_function(f"{script} >= 5")
    return int(page.evaluate(script))


def test_real_images_stand_above_invented_ones_and_three_numbers_say_what_comes_of_it(new_page: NewPage) -> None:
    page = new_page(1440, 900)  # without motion the recording is at its end
    assert (shown(page, "real"), shown(page, "invented")) == (10, 10)
    guess, student, teacher = page.locator(".overview .figures strong").all_inner_texts()
    assert (guess, teacher) == ("10\u00a0%", "95\u00a0%")
    assert 50 < float(student.split()[0]) < 95
    box = page.locator(".overview").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 900
    for folded in (".diagram", ".card.losses", ".diversity"):
        expect(page.locator(folded)).to_be_hidden()
    open_details(page)
    expect(page.locator(".card.losses")).to_be_visible()
    assert small(page) == []
    assert findings(page) == []
    page.reload()
    expect(page.locator(".card.losses")).to_be_visible()  # it stays open for who opened it
    page.click(".bar .large")
    assert page.url.endswith("?size=large")
    page.reload()
    page.locator(".diagram text").first.wait_for()
    assert small(page, 16, ".diagram text, .overview *, .accuracy text") == []
    assert findings(page) == []
    assert overflow(page) == 0
    picture(page, "wide-light-large")


def test_the_names_of_both_rows_stand_beside_their_images(new_page: NewPage) -> None:
    page = new_page()
    shown(page, "invented")
    sizes = ((1440, 900), (1024, 768), (768, 1024), (390, 844))
    for (width, height), kind in product(sizes, ("real", "invented")):
        page.set_viewport_size({"width": width, "height": height})
        name = page.locator(f".overview .row-names .{kind} b").bounding_box()
        image = page.locator(f".overview .picture.{kind}").first.bounding_box()
        assert name is not None
        assert image is not None
        assert image["y"] <= name["y"] + name["height"] / 2 <= image["y"] + image["height"]


def test_a_phone_shows_the_stage_first_and_the_settings_in_a_drawer(new_page: NewPage) -> None:
    page = new_page(390, 844, dark=True)
    assert shown(page, "invented") == 10
    box = page.locator(".overview").bounding_box()
    assert box is not None
    assert box["y"] < 600
    expect(page.locator("#field-rounds input")).to_be_hidden()
    assert page.locator("footer").inner_text().strip() == ""  # no dot between links that are not there
    open_settings(page)
    expect(page.locator(".drawer-done")).to_be_focused()
    expect(page.locator("#field-rounds input")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#field-rounds input")).to_be_hidden()
    expect(page.locator(".bar .drawer")).to_be_focused()
    open_details(page)
    parts = page.locator(".diagram .frame").evaluate_all(
        "frames => frames.map((frame) => frame.getBoundingClientRect()).map(({ left, right }) => [left, right])"
    )
    assert len(parts) == 8
    assert all(0 <= left < right <= 390 for left, right in parts)
    assert small(page) == []
    assert overflow(page) == 0
    picture(page, "phone-dark-first-sight")


def test_a_refusal_goes_with_what_was_refused(new_page: NewPage) -> None:
    page = new_page()
    refusal = page.locator("#stage div.notice[role=alert]").first

    def choose(name: str) -> None:
        page.click("#field-teacher input")
        page.get_by_role("option", name=name, exact=True).click()

    page.fill("#field-rounds input", "2000")
    page.keyboard.press("Tab")
    page.click(".bar .play")
    until(page, "running")
    choose("Handwritten digits")
    page.click(".bar .apply")
    expect(refusal).to_contain_text("teacher")
    choose("Ten emoji")
    expect(refusal).to_be_hidden()
    page.click(".bar .stop")
    until(page, "stopped")


def test_the_page_says_how_long_a_run_takes_before_it_begins(new_page: NewPage) -> None:
    page = new_page()
    standing = page.locator(".bar .standing")
    expect(standing).to_contain_text("on this machine")
    first = standing.inner_text()
    page.fill("#field-rounds input", "30000")
    page.keyboard.press("Tab")
    expect(standing).not_to_have_text(first)
    expect(standing).to_contain_text(" h on this machine")


def test_a_chart_names_its_unit_and_no_name_covers_a_curve(new_page: NewPage) -> None:
    page = new_page()
    chart = page.locator(".accuracy .chart")
    expect(chart.locator("text.unit")).to_have_text("round")
    assert chart.locator("text", has_text="teacher").count() == 0
    expect(page.locator(".accuracy .legend .key").last).to_contain_text("95.2")  # the recording has begun
    keys = page.locator(".accuracy .legend .key").all_inner_texts()
    assert [key.strip() for key in keys[-2:]] == ["guessing 10\u00a0%", "teacher 95.2\u00a0%"]
