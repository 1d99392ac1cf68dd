"""The reset lab in a real browser, and what the live page takes from it. Tests alone leave pictures in screenshots/."""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import NewPage, grown, open_details, picture, prepare, until
from tests.support.serving import Served

QUICK = {
    "generator_steps": 2,
    "student_steps": 2,
    "warmup_rounds": 1,
    "noisy_width": 64,
    "generator_width": 4,
    "synthesis_batch": 20,
}


def lab(page: Page) -> Page:
    page.get_by_role("tab", name="Reset lab").click()
    page.wait_for_selector(".lab-form")
    page.select_option("#lab-teacher", "digits")
    return page


def own_arms(page: Page, *changes: dict[str, object]) -> None:
    """As many arms of the preset nayer, with these changes, by the link that fills in the form."""
    arms = [{"title": f"arm {i + 1}", "settings": {**QUICK, **change}} for i, change in enumerate(changes)]
    plan = {"experiment": "", "teacher": "digits", "seed": 0, "work": 5, "repeats": 1, "arms": arms}
    page.goto(f"{page.url.split('?')[0]}?{urlencode({'tab': 'lab', 'plan': json.dumps(plan)})}")
    expect(page.locator(".custom-arm")).to_have_count(len(changes))


def reached(page: Page, state: str) -> None:
    expect(page.locator("#nayer-lab")).to_have_attribute("data-state", state)


def run(page: Page, work: int) -> None:
    page.fill("#lab-work", str(work))
    page.get_by_role("button", name="Run the comparison").click()


def test_a_ready_made_experiment_from_the_click_to_the_images_behind_a_point(new_page: NewPage) -> None:
    page = lab(new_page())
    page.click("[data-name=reset]")
    run(page, 8)
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
    expect(page.locator(".lab-charts .chart-box").nth(3).locator("[role=status]")).to_contain_text("work")
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
    own_arms(page, {"noisy_reset_every": 1}, {"noisy_reset_every": 0, "routing": "single"})
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
    first.get_by_role("button", name="Add a setting").click()
    first.get_by_label("Setting for arm arm 1", exact=True).select_option("noisy_reset_every")
    first.get_by_label("Value of").fill("7")
    first.get_by_role("button", name="Apply").click()
    expect(page.locator("#nayer-lab > .notice")).to_contain_text("uses noisy_reset_every=7 from its next round on")
    expect(page.locator(".lab-charts .marks .change").first).to_be_attached()
    picture(page, "lab-narrow-dark-changed")
    page.click(".lab-stop")
    reached(page, "stopped")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_arms_are_two_to_six_and_what_cannot_be_compared_is_one_sentence(new_page: NewPage) -> None:
    page = lab(new_page())
    page.click("[data-name=own]")
    arms = page.locator(".custom-arm")
    expect(arms).to_have_count(2)  # as many as there must be
    assert not page.locator(".custom-arm [placeholder]").count(), "what a field shows is what it holds"
    expect(arms.get_by_label("Name").first).to_have_value("Arm 1")
    expect(page.get_by_role("button", name="Remove this arm")).to_have_count(0)
    for _ in range(4):
        page.get_by_role("button", name="Add an arm").click()
    expect(arms).to_have_count(6)
    expect(page.get_by_role("button", name="Add an arm")).to_have_count(0)
    for _ in range(4):
        page.get_by_role("button", name="Remove this arm").last.click()
    second = arms.nth(1)
    second.get_by_role("button", name="Add a setting").click()
    second.get_by_label("Setting of the second arm", exact=True).select_option("routing")
    second.get_by_label("Value of").select_option("single")
    run(page, 100000)
    notice = page.locator("#nayer-lab .notice").first
    expect(notice).to_have_text("work must be a number from 1 to 10,000; 100000 was given.")
    second.get_by_label("Setting of the second arm", exact=True).select_option("generator_steps")
    second.get_by_label("Value of").fill("0")
    run(page, 5)
    expect(notice).to_contain_text("generator_steps must be a whole number from")
    expect(second.get_by_label("Value of")).to_have_value("0")  # the form stays
    expect(page.locator(".example .arm")).to_have_count(3)  # what is finished is still there to look at


def test_the_form_says_how_long_a_comparison_takes_before_it_begins(new_page: NewPage) -> None:
    page = new_page()
    page.get_by_role("tab", name="Reset lab").click()
    told = page.locator(".lab-form .duration")
    expect(told).to_contain_text("on this machine")
    first = told.inner_text()
    page.fill("#lab-work", "10000")
    page.keyboard.press("Tab")
    expect(told).not_to_have_text(first)
    expect(told).to_contain_text("on this machine")
    page.fill("#lab-work", "")
    page.keyboard.press("Tab")
    expect(told).to_have_text("")
    page.get_by_role("tab", name="Learn").click()
    expect(page.locator("#tour .duration")).to_contain_text("on this machine")


def test_a_link_fills_in_as_many_seeds_as_it_names(new_page: NewPage) -> None:
    page = new_page()
    plan = {"experiment": "routing", "teacher": "digits", "seed": 2, "work": 40, "repeats": 5, "arms": []}
    page.goto(f"{page.url}?{urlencode({'tab': 'lab', 'plan': json.dumps(plan)})}")
    expect(page.locator("#lab-repeats")).to_have_value("5")
    expect(page.locator("#lab-repeats option:checked")).to_have_text("5 seeds")
    expect(page.locator("[data-name=routing]")).to_have_attribute("aria-pressed", "true")


@pytest.mark.slow
def test_three_seeds_show_their_mean_and_the_lab_is_taken_home(new_page: NewPage) -> None:
    page = new_page()
    own_arms(page, {}, {"noisy_reset_every": 0})
    page.select_option("#lab-repeats", "3")
    run(page, 3)
    reached(page, "finished")
    run_id = parse_qs(urlparse(page.url).query)["lab"][0]
    told = page.evaluate("run => fetch(`/live/${run}/lab`).then((answer) => answer.json())", run_id)
    for number, card in enumerate(page.locator(".arm").all()):
        seeds = [one["accuracy"] for one in told["results"] if one["arm"] == number]
        mean, low, high = (f"{100 * n:.1f} %" for n in (sum(seeds) / 3, min(seeds), max(seeds)))
        expect(card.locator("dd").first).to_have_text(f"{mean}{low} – {high}")
        expect(card.locator(".whose")).to_contain_text("Mean of 3 seeds")
        expect(card.locator(".arm-heads")).to_contain_text("three")
    bands = page.locator(".chart .band[d]")
    assert bands.count() >= 2
    picture(page, "lab-seeds-wide-light")
    with page.expect_download() as loading:
        page.get_by_role("link", name="CSV").click()
    table = list(csv.DictReader(io.StringIO(loading.value.path().read_text("utf-8"))))
    assert {(row["arm"], row["seed"]) for row in table} == {(arm, seed) for arm in "12" for seed in "012"}

    page.get_by_label("Share of the work").fill("20")
    expect(page.locator(".playback .note")).to_have_text("50 % of the work")
    expect(page.locator(".arm-rows .tile")).to_have_count(20)

    link = page.get_by_label("Link to this lab", exact=True).input_value()
    other = new_page(390, 844, dark=True)  # another visitor, who has the link alone
    other.goto(link)
    reached(other, "finished")
    expect(other.locator(".lab-form")).to_be_hidden()
    expect(other.locator(".lab-stop")).to_be_hidden()
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    picture(other, "lab-link-narrow-dark")
    plan = page.get_by_label("Link that fills in the form", exact=True).input_value()
    other.goto(plan)
    expect(other.locator(".custom-arm")).to_have_count(2)
    expect(other.locator(".custom-arm").nth(1).get_by_label("Name")).to_have_value("arm 2")
    assert other.locator("#lab-repeats").input_value() == "3"


@pytest.mark.slow
def test_a_lab_asks_before_it_ends_a_live_run(new_page: NewPage) -> None:
    page = new_page()
    prepare(page)
    page.click(".bar .play")
    until(page, "running")
    asked: list[str] = []
    answers = [False, True]
    page.on("dialog", lambda box: (asked.append(box.message), box.accept() if answers.pop(0) else box.dismiss()))
    lab(page)
    run(page, 2)
    page.wait_for_timeout(500)
    assert asked == ["Your live run is still in progress. Starting this ends it. Its results stay. Start anyway?"]
    expect(page.locator("#nayer-lab")).to_have_attribute("data-state", "empty")
    run(page, 2)
    reached(page, "finished")
    assert len(asked) == 2


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
    open_details(page)
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
    monkeypatch.setattr(served.registry._scheduler, "warning", lambda _: "This run has had its turn.")
    expect(page.locator(".lab-bar .keeping")).to_have_text("This run has had its turn.")
    page.locator(".lab-bar .lab-stop").click()
    reached(page, "stopped")
    expect(page.locator(".lab-bar .keeping")).to_have_text("")
