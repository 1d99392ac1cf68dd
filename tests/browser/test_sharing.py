"""A run handed on, in a real browser: its address sets it up again, its link lets others follow, its files come."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Route, expect

from nayer.common.extras import onnx_is_missing
from tests.browser.browsing import PATIENCE, NewPage, grown, picture, quick, rows, until


@pytest.mark.slow
def test_an_address_sets_the_run_up_hides_what_it_says_and_names_its_mistakes(new_page: NewPage) -> None:
    page = new_page()
    page.goto(page.url + "?teacher=digits&preset=fast&seed=7&generator_steps=9&hide=field-rounds+all-settings")
    expect(page.locator("#field-seed input")).to_have_value("7")
    expect(page.locator("#field-teacher input")).to_have_value("Handwritten digits")
    expect(page.locator("#field-preset input")).to_have_value("Fast, small version for two cores")
    expect(page.locator("#field-rounds")).to_be_hidden()
    expect(page.locator("#all-settings")).to_be_hidden()
    page.click(".bar .play")
    until(page, "running")
    page.locator(".sharing summary").click()
    command = page.get_by_role("textbox", name="Command that repeats this run")
    expect(command).to_have_value("python -m nayer distill --teacher digits --preset fast --seed 7 --generator-steps=9")
    page.get_by_label("seed", exact=True).check()
    address = page.get_by_role("textbox", name="Link with the settings of this run").input_value()
    assert "hide=field-seed" in address
    again = new_page()
    again.goto(address)
    expect(again.locator("#field-seed input")).to_have_value("7")
    expect(again.locator("#field-seed")).to_be_hidden()
    page.click(".bar .stop")
    page.goto(page.url.split("?")[0] + "?preset=nayer&seed=many")
    expect(page.locator(".notice").first).to_contain_text("This address does not work: seed must be a whole number")


@pytest.mark.parametrize("refused", [False, True], ids=["settings", "mistake"])
def test_play_waits_for_the_settings_of_the_address(new_page: NewPage, refused: bool) -> None:
    page = new_page()

    def late(route: Route) -> None:
        time.sleep(1.0)
        route.continue_()

    page.route("**/gradio_api/queue/join*", late, times=1)
    page.goto(page.url + ("?preset=nayer&seed=many" if refused else quick(3)))
    page.click(".bar .play")
    if refused:
        expect(page.locator(".notice").first).to_contain_text("This address does not work")
        expect(page.locator(".bar .play")).to_be_enabled()
        assert page.evaluate("localStorage.getItem('nayer-run')") is None
    else:
        until(page, "finished")
        assert rows(page) == 3


def test_a_watcher_sees_the_run_live_and_commands_nothing_and_the_files_come(new_page: NewPage) -> None:
    page = new_page()
    page.goto(page.url + "?teacher=digits&preset=nayer&seed=1&generator_steps=6&student_steps=20")
    expect(page.locator("#field-seed input")).to_have_value("1")
    page.click(".bar .play")
    until(page, "running")
    grown(page, 1)
    page.locator(".sharing summary").click()
    watcher = new_page(390, 844, dark=True)
    watcher.goto(page.get_by_role("textbox", name="Link to watch this run live").input_value())
    until(watcher, "running")
    before = watcher.inner_text(".standing")
    watcher.wait_for_function("before => document.querySelector('.standing').innerText !== before", arg=before)
    expect(watcher.locator(".bar .buttons")).to_be_hidden()
    expect(watcher.locator("#settings")).to_be_hidden()
    expect(watcher.get_by_text("Only they can control it")).to_be_visible()
    watcher.keyboard.press(" ")
    assert watcher.evaluate("document.documentElement.scrollWidth") <= 390
    picture(watcher, "phone-dark-watching")
    assert watcher.evaluate("localStorage.getItem('nayer-run')") is None
    page.click(".bar .stop")
    until(page, "stopped")
    until(watcher, "stopped")
    missing = onnx_is_missing()
    if missing:
        expect(page.locator(".sharing .files")).to_contain_text(missing)
    onnx = () if missing else ("student (ONNX)",)
    for name in (
        "everything (zip)",
        "samples as an animation (GIF)",
        "student (safetensors)",
        "settings (YAML)",
        *onnx,
    ):
        with page.expect_download(timeout=PATIENCE) as saved:
            page.get_by_role("link", name=name).click()
        assert saved.value.path().stat().st_size > 500
    picture(page, "wide-light-sharing")


def test_a_link_that_leads_nowhere_is_one_sentence_and_runs_nothing(new_page: NewPage) -> None:
    page = new_page()
    home = page.url.split("?")[0]
    hostile = "%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D'ran'%22%3E"
    for search, sentence in (
        (f"?watch={hostile}", "or it never existed. Ask for a new link."),
        ("?watch=%E0%A4%A", "or it never existed. Ask for a new link."),
        (f"?tab=lab&lab={hostile}", "The lab of this link does not exist."),
        ("?tab=lab&plan=%7B", "The plan in this link cannot be read."),
        (f"?join={hostile}", "belongs to no class now; ask for the code again."),
        ("?join=..", "belongs to no class now; ask for the code again."),
        (f"?preset={hostile}", "This address does not work: preset must be one of"),
    ):
        page.goto(home + search)
        expect(page.get_by_text(sentence).first).to_be_visible()
        assert page.locator("img[src=x]").count() == 0
        assert page.title() != "ran"
