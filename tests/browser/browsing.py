"""What the browser tests do to the page, and where they leave pictures of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.support.repository import ROOT

SCREENSHOTS = ROOT / "screenshots"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 30_000  # ms; for slow machines, nothing takes that long
NewPage = Callable[..., Page]


GENERATOR = {"generator_steps": 3, "generator_width": 4, "synthesis_batch": 20, "warmup_rounds": 1}
STUDENT = {"student_steps": 3}


def quick(rounds: int = 500) -> str:
    """The address of what `prepare` sets: digits, with steps so few that a round takes a moment."""
    return "?" + urlencode({"teacher": "digits", "rounds": rounds, **GENERATOR, **STUDENT})


def prepare(page: Page, rounds: int = 500) -> None:
    """Digits, with steps so few that a round takes a moment; set in the form, as a visitor would."""
    open_settings(page)
    page.click("#field-teacher input")
    page.get_by_role("option", name="digits").first.click()
    page.fill("#field-rounds input", str(rounds))
    page.click("#all-settings > button")
    for title, fields in {
        "The generator and its training": GENERATOR,
        "The student and its training": STUDENT,
    }.items():
        page.get_by_role("button", name=title).click()
        page.wait_for_timeout(400)  # fields that have just unfolded forget what is typed at once
        for name, value in fields.items():
            page.fill(f"#field-{name} input", str(value))
    page.keyboard.press("Tab")
    page.click("#all-settings > button")
    close_settings(page)


def open_settings(page: Page) -> None:
    """Opens the drawer, where the settings are in one."""
    if page.locator(".bar .drawer").is_visible():
        page.click(".bar .drawer")


def close_settings(page: Page) -> None:
    if page.locator(".drawer-done").is_visible():
        page.click(".drawer-done")


def open_details(page: Page) -> None:
    """Opens all folds of the stage."""
    shut = page.locator("#nayer-stage .fold:not([open]) > summary")
    while shut.count():
        shut.first.click()


def rows(page: Page) -> int:
    return page.locator(".samples .row:not(.live)").count()


def state(page: Page) -> str | None:
    return page.locator(".bar").get_attribute("data-state")


def until(page: Page, wanted: str) -> None:
    expect(page.locator(".bar")).to_have_attribute("data-state", wanted, timeout=PATIENCE)


def grown(page: Page, count: int) -> None:
    page.wait_for_function(
        "count => document.querySelectorAll('.samples .row:not(.live)').length >= count", arg=count, timeout=PATIENCE
    )


def picture(page: Page, name: str) -> None:
    """Leaves a picture of the whole page. None where tests run side by side: each takes a quarter of a second."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    SCREENSHOTS.mkdir(exist_ok=True)
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
