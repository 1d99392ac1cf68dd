"""A class of thirty: one teacher and two pupils in real browsers, the others by their requests, all under one code."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import NewPage, picture, quick, until
from tests.support.serving import Served

PUPILS = 27  # by requests


def code_of(page: Page) -> str:
    """The code that the teacher's page shows now; the card is closed again."""
    page.locator("button:visible", has_text="Class code").click()
    card = page.locator("dialog[open].class-card")
    expect(card.locator("img")).to_have_js_property("complete", True)
    expect(card.locator("img")).not_to_have_js_property("naturalWidth", 0)
    code = card.locator(".class-letters").inner_text().replace(" ", "")
    card.get_by_role("button", name="Close").click()
    return code


class Pupil:
    """Asks as a page does: where the teacher is, every few seconds, and what is new there, every second."""

    def __init__(self, url: str, code: str) -> None:
        self.url, self.code = url, code
        self.ends: dict[str, str] = {}  # run -> the last state that was seen
        self.worst = 0.0  # s of the slowest answer

    def follow(self, over: threading.Event) -> None:
        with httpx.Client(base_url=self.url, timeout=30.0) as client:
            while not over.is_set():
                shown = self.get(client, f"/join/{self.code}").json()
                news = self.get(client, f"/live/{shown['run']}/lab")
                self.ends[shown["run"]] = news.json()["state"]
                over.wait(1.0)

    def get(self, client: httpx.Client, path: str) -> httpx.Response:
        began = time.monotonic()
        answer = client.get(path)
        self.worst = max(self.worst, time.monotonic() - began)
        assert answer.status_code == 200, answer.text
        return answer


@pytest.mark.slow
def test_a_live_run_has_its_class_code_in_the_bar_and_a_failure_shows_no_picture(new_page: NewPage) -> None:
    page = new_page(address=quick())
    button = page.locator(".bar").get_by_role("button", name="Class code")
    expect(button).to_be_hidden()
    page.click(".bar .play")
    until(page, "running")
    page.route("**/command/class_code", lambda route: route.fulfill(json={"error": "There is no code now."}))
    button.click()
    card = page.locator("dialog[open].class-card")
    expect(card).to_contain_text("There is no code now.")
    expect(card.locator("img")).to_be_hidden()
    card.get_by_role("button", name="Close").click()
    page.unroute("**/command/class_code")
    assert len(code_of(page)) == 6
    page.click(".bar .stop")
    until(page, "stopped")


@pytest.mark.slow
def test_thirty_pages_follow_their_teacher_from_a_lesson_to_the_lab(new_page: NewPage, served: Served) -> None:
    teacher = new_page()
    teacher.goto(f"{served.url}?lesson=4")
    teacher.locator(".lesson-question input").first.check()
    teacher.locator("#tour .lesson-run").click()
    live = teacher.locator("#tour .lesson-live")
    expect(live).to_have_attribute("data-state", "running")
    code = code_of(teacher)

    by_hand, by_picture = new_page(390, 844), new_page(dark=True)
    by_hand.get_by_role("link", name="Join a class").click()
    by_hand.get_by_role("textbox", name="Code of the class").fill("NOCODE")
    by_hand.get_by_role("button", name="Join").click()
    strip = by_hand.locator(".class-strip")
    expect(strip).to_contain_text("code='NOCODE' belongs to no class now; ask for the code again.")
    by_hand.get_by_role("textbox", name="Code of the class").fill(f"{code[:3]} {code[3:]}".lower())
    by_hand.get_by_role("button", name="Join").click()
    by_picture.goto(f"{served.url}?join={code}")
    pupils, over = [Pupil(served.url, code) for _ in range(PUPILS)], threading.Event()
    with ThreadPoolExecutor(PUPILS) as threads:
        following = [threads.submit(pupil.follow, over) for pupil in pupils]
        try:
            for page in (by_hand, by_picture):
                expect(page.locator(".class-strip")).to_contain_text("you see what your teacher shows")
                expect(page.locator(".lesson-card h2")).to_have_text(teacher.locator(".lesson-card h2").inner_text())
                page.wait_for_function("document.querySelectorAll('#tour .arm-row').length >= 2")
                expect(page.locator("#tour .lesson-run")).to_be_hidden()
                page.locator(".lesson-question input").first.check()  # who follows can predict
            picture(by_hand, "class-lesson-narrow-light")
            picture(by_picture, "class-lesson-wide-dark")
            teacher.locator("#tour .lesson-stop").click()
            expect(live).to_have_attribute("data-state", "stopped")
            for page in (by_hand, by_picture):
                expect(page.locator(".lesson-concluded")).to_contain_text("Your prediction")
            told = [page.locator("#tour .arm-facts").all_inner_texts() for page in (teacher, by_hand, by_picture)]
            assert told[0] == told[1] == told[2]

            teacher.locator(".lesson-concluded a").click()  # on to the lab, with this comparison filled in
            expect(teacher.locator(".custom-arm")).to_have_count(2)
            teacher.fill("#lab-work", "5")
            teacher.select_option("#lab-repeats", "1")
            teacher.get_by_role("button", name="Run the comparison").click()
            for page in (by_hand, by_picture):
                expect(page.locator("#nayer-lab .lab-bar")).to_be_visible()
                expect(page.locator("#nayer-lab .lab-stop")).to_be_hidden()
            expect(teacher.locator("#nayer-lab")).to_have_attribute("data-state", "finished", timeout=240_000)
            for page in (by_hand, by_picture):
                expect(page.locator("#nayer-lab")).to_have_attribute("data-state", "finished")
            time.sleep(3.0)  # every pupil has asked once more
        finally:
            over.set()
        for one in following:
            one.result()
    assert all(sorted(pupil.ends.values()) == ["finished", "stopped"] for pupil in pupils)
    logging.getLogger(__name__).info("slowest answer of %d pupils: %.2f s", PUPILS, max(p.worst for p in pupils))

    teacher.locator("button:visible", has_text="Class code").click()
    teacher.get_by_role("button", name="End the class").click()
    expect(by_picture.locator(".class-strip")).to_contain_text("belongs to no class now")
    by_picture.get_by_role("link", name="Leave the class").click()
    expect(by_picture.locator(".class-strip")).to_have_count(0)
