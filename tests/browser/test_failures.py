"""Where the student fails, in a real browser: bars, squares and images lead to each other, by round."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.auditing import findings, overflow
from tests.browser.browsing import NewPage, picture, prepare, until


def start(page: Page, rounds: int) -> None:
    prepare(page, rounds)
    page.click(".bar .play")


def show(page: Page) -> None:
    """Opens the folds round the panel, if there are any, and waits for its images."""
    page.evaluate("document.querySelectorAll('details:has(.failures)').forEach((one) => { one.open = true; })")
    page.locator(".failures").scroll_into_view_if_needed()
    page.locator(".fail-gallery button").first.wait_for()


def count(page: Page) -> int:
    return int(page.locator(".fail-head p").inner_text().split()[0].replace(",", ""))


@pytest.mark.slow
def test_a_bar_leads_to_its_class_a_square_to_its_images_and_an_image_to_its_square(new_page: NewPage) -> None:
    page = new_page()
    start(page, 6)
    until(page, "finished")
    show(page)
    assert count(page) > 0
    page.locator(".class-bars button").nth(3).click()
    expect(page.locator(".fail-head p")).to_contain_text("of the class “three” that the student gets wrong")
    assert page.locator(".class-bars button").nth(3).get_attribute("aria-pressed") == "true"
    right = int(page.locator(".class-bars button").nth(3).locator(".share").inner_text().split()[0])
    assert count(page) == round(50 * (1 - right / 100))
    tile = page.locator(".fail-gallery button").first
    assert tile.locator(".name").first.inner_text() == "three"
    answer = tile.locator(".name").nth(1).inner_text()[2:]
    tile.click()
    expect(page.locator(".fail-head p")).to_contain_text(f"for which the student says “{answer}”")
    assert page.locator(".readout").inner_text().startswith(f"three gets the answer {answer}")
    inside = count(page)
    assert {one.inner_text() for one in page.locator(".fail-gallery button .name:nth-of-type(2)").all()} == {
        f"S {answer}"
    }
    heatmap = page.locator(".failures canvas.heatmap").first
    heatmap.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert count(page) == inside
    page.get_by_role("button", name="All differences").click()
    expect(page.locator(".fail-head p")).to_contain_text("on which student and teacher differ")
    assert findings(page) == []
    picture(page, "wide-light-failures")


@pytest.mark.slow
def test_the_scrubber_goes_back_to_the_student_before_it_learned_and_the_end_follows_the_run(new_page: NewPage) -> None:
    page = new_page(390, 844, dark=True)
    start(page, 500)
    until(page, "running")
    show(page)
    after = page.locator(".fail-round output")
    expect(after).to_contain_text("after")
    before = after.inner_text()
    expect(after).not_to_have_text(before)
    page.locator(".fail-round input").focus()
    page.keyboard.press("Home")
    expect(after).to_have_text("before it learns")
    page.wait_for_timeout(2500)  # two updates of the run
    expect(after).to_have_text("before it learns")
    page.keyboard.press("End")
    expect(after).to_contain_text("after")
    page.get_by_role("button", name="Worst class first").click()
    shares = [int(one.split()[0]) for one in page.locator(".class-bars .share").all_inner_texts()]
    assert shares == sorted(shares)
    page.click(".bar .stop")
    until(page, "stopped")
    assert overflow(page) == 0
    assert findings(page) == []
    picture(page, "narrow-dark-failures")
