"""The reset lab in a real browser, and what the live page takes from it. Pictures are left in screenshots/."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import NewPage, grown, picture, prepare, until
from tests.support.serving import Served

QUICK = "generator_steps=2 student_steps=2 warmup_rounds=1 noisy_width=64 generator_width=4 synthesis_batch=20"


def lab(page: Page) -> Page:
    page.get_by_role("tab", name="Reset lab").click()
    page.wait_for_selector(".lab-form")
    page.select_option("#lab-teacher", "digits")
    return page


def own_arms(page: Page, *changes: str) -> None:
    """As many arms of the preset nayer, with these changes."""
    page.click("[data-name=own]")
    rows = page.locator(".custom-arm")
    for i in range(rows.count()):
        rows.nth(i).locator("select").select_option("nayer" if i < len(changes) else "")
    for i, change in enumerate(changes):
        rows.nth(i).get_by_label("Name").fill(f"arm {i + 1}")
        rows.nth(i).get_by_label("Changes").fill(f"{QUICK} {change}")


def reached(page: Page, state: str) -> None:
    expect(page.locator("#nayer-lab")).to_have_attribute("data-state", state)


def run(page: Page, work: int) -> None:
    page.fill("#lab-work", str(work))
    page.get_by_role("button", name="Run the comparison").click()


def test_a_ready_made_experiment_from_the_click_to_the_images_behind_a_point(new_page: NewPage) -> None:
    page = lab(new_page())
    page.click("[data-name=reset]")
    run(page, 4)
    expect(page.locator(".lab-bar .standing")).to_contain_text("left")
    page.wait_for_function(
        "[...document.querySelectorAll('.arm')].filter(a => a.querySelector('.arm-row')).length === 3"
    )
    reached(page, "finished")
    assert [arm.split("\n")[0] for arm in page.locator(".arm").all_inner_texts()] == [
        "every round",
        "every 10 rounds",
        "never",
    ]
    expect(page.locator(".verdicts")).to_contain_text("one seed proves nothing")
    expect(page.locator(".results tbody tr")).to_have_count(3)
    assert page.locator(".lab-charts .rules line.teacher").count() >= 2  # the teacher's accuracy, and real images
    lines = (
        page.locator(".lab-charts svg.chart")
        .first.locator("path.line")
        .evaluate_all("l => l.map(p => p.getAttribute('d'))")
    )
    assert all(lines)
    picture(page, "lab-wide-light")

    strip = page.locator("#nayer-lab .redraw-strip")
    strip.locator("select").first.select_option("never")
    strip.locator("select").last.select_option("three")
    strip.get_by_role("button", name="Re-draw 16").click()
    expect(strip.locator("figure")).to_have_count(32)
    expect(strip).to_contain_text("different images among 16")
    redrawn, held = (row.locator("figcaption").all_inner_texts() for row in strip.locator(".strip-row").all())
    assert len(set(held)) == 1
    assert len(set(redrawn)) > 1

    chart = page.locator(".lab-charts svg.chart").nth(3)
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".lab-charts .chart-box").nth(3).locator("[role=status]")).to_contain_text("seconds")
    page.keyboard.press("Enter")
    drill = page.locator("dialog[open]")
    expect(drill.locator("tbody tr")).to_have_count(10)
    assert drill.locator(".tile").count() == 100
    drill.locator("select").select_option("seven")
    expect(drill.locator("tbody tr")).to_have_count(1)
    assert drill.locator(".tile").count() == 10
    heading = drill.locator("h3").inner_text()
    drill.get_by_label("An earlier round").click()
    expect(drill.locator("h3")).not_to_have_text(heading)
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator(".lab-charts svg.chart").first.click()
    expect(page.locator("dialog[open] .tile")).to_have_count(10)  # the class that was chosen before
    page.keyboard.press("Escape")

    page.reload()
    page.get_by_role("tab", name="Reset lab").click()
    reached(page, "finished")
    expect(page.locator(".arm .arm-row").first).to_be_visible()


@pytest.mark.slow
def test_arms_of_ones_own_pause_and_stop_on_a_phone(new_page: NewPage) -> None:
    page = lab(new_page(390, 844, dark=True))
    own_arms(page, "noisy_reset_every=1", "noisy_reset_every=0 routing=single")
    run(page, 200)
    page.wait_for_function("document.querySelectorAll('.arm-row').length >= 4")
    page.click(".lab-toggle")
    reached(page, "paused")
    page.wait_for_timeout(1500)  # longer than the page waits between two questions
    costs = page.locator(".arm .cost").all_inner_texts()
    page.wait_for_timeout(1500)
    assert page.locator(".arm .cost").all_inner_texts() == costs
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "lab-narrow-dark")
    page.click(".lab-toggle")
    reached(page, "running")
    first = page.locator(".arm").first
    first.locator("summary").click()
    wanted = first.get_by_role("textbox")
    wanted.fill("seed=5")
    wanted.press("Enter")
    notice = page.locator("#nayer-lab > .notice")
    expect(notice).to_have_text("seed=5 cannot change during a run; start a new run with it.")
    wanted.fill("noisy_reset_every=7")
    wanted.press("Enter")
    expect(notice).to_contain_text("uses noisy_reset_every=7 from its next round on")
    expect(page.locator(".lab-charts .marks .change").first).to_be_attached()
    picture(page, "lab-narrow-dark-changed")
    page.click(".lab-stop")
    reached(page, "stopped")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_cannot_be_compared_is_one_sentence_and_the_form_stays(new_page: NewPage) -> None:
    page = lab(new_page())
    own_arms(page, "")
    run(page, 5)
    notice = page.locator("#nayer-lab .notice").first
    expect(notice).to_have_text("a lab needs 2 to 5 arms, not 1.")
    own_arms(page, "", "routing=zigzag")
    run(page, 5)
    expect(notice).to_have_text("routing must be one of k-to-1, 1-to-1, single; 'zigzag' was given.")
    run(page, 100000)
    expect(notice).to_have_text("work must be a number from 1 to 10,000; 100000 was given.")
    expect(page.locator(".custom-arm input").nth(3)).to_have_value(f"{QUICK} routing=zigzag")
    expect(page.locator(".arm")).to_have_count(0)


@pytest.mark.slow
def test_a_running_run_takes_other_settings_and_every_curve_is_marked(new_page: NewPage) -> None:
    page = new_page()
    prepare(page)
    page.click(".bar .play")
    until(page, "running")
    grown(page, 3)
    page.click("#reset-policy > button")
    page.wait_for_timeout(400)
    page.fill("#field-noisy_reset_every input", "0")
    page.keyboard.press("Tab")
    page.click(".bar .apply")
    expect(page.locator("#nayer-stage > .notice")).to_contain_text("noisy_reset_every 1 → 0")
    for chart in (".accuracy", ".diversity", ".losses"):
        expect(page.locator(f"{chart} .marks .change").first).to_be_attached()
    page.fill("#field-seed input", "5")
    page.keyboard.press("Tab")
    page.click(".bar .apply")
    expect(page.locator("#nayer-stage > .notice")).to_have_text(
        "seed=5 cannot change during a run; start a new run with it."
    )
    strip = page.locator("#nayer-stage .redraw-strip")
    strip.get_by_role("button", name="Re-draw 16").click()
    expect(strip.locator("figure")).to_have_count(32)
    page.locator(".diversity svg.chart").first.click()
    expect(page.locator("dialog[open] .tile")).to_have_count(20)
    page.keyboard.press("Escape")
    page.click(".bar .stop")
    until(page, "stopped")
    picture(page, "live-policy-changed")


def test_a_lab_shows_that_its_run_will_give_way(
    new_page: NewPage, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = lab(new_page())
    page.click("[data-name=reset]")
    run(page, 60)
    reached(page, "running")
    expect(page.locator(".lab-bar .keeping")).not_to_contain_text("had its turn")
    monkeypatch.setattr(served.registry._places, "warning", lambda _: "This run has had its turn.")
    expect(page.locator(".lab-bar .keeping")).to_have_text("This run has had its turn.")
    page.locator(".lab-bar .lab-stop").click()
    reached(page, "stopped")
    expect(page.locator(".lab-bar .keeping")).to_have_text("")
