"""A real browser on the real server, for the tests that want one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, expect, sync_playwright

from app.environment import Environment
from app.server import place_of
from tests.browser.browsing import PATIENCE, QUIET, NewPage
from tests.support.serving import Served, serving

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")
def served() -> Iterator[Served]:
    """The page. With NAYER_TEST_RUNS_ON, as in `make cluster`, its runs work on a cluster."""
    environment = Environment(grace_seconds=60.0, capacity=8, runs_on=os.environ.get("NAYER_TEST_RUNS_ON", ""))
    with place_of(environment) as (environment, opener), serving(opener, environment) as served:
        yield served


@pytest.fixture(scope="package")
def chromium() -> Iterator[BrowserType]:
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="package")
def browser(chromium: BrowserType) -> Iterator[Browser]:
    """For visitors who bring their own settings."""
    with chromium.launch(executable_path=installed(), args=QUIET) as browser:
        yield browser


@pytest.fixture(scope="package")
def profile(chromium: BrowserType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """The first visitor of each test. With a folder, the browser keeps compiled scripts: a load takes half the time."""
    folder = tmp_path_factory.mktemp("profile")
    with chromium.launch_persistent_context(folder, executable_path=installed(), args=QUIET) as context:
        yield context


@pytest.fixture
def new_page(request: pytest.FixtureRequest, profile: BrowserContext, served: Served) -> Iterator[NewPage]:
    """Opens the page as a new visitor; at the end of the test nothing may have gone wrong in its console."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(width: int = 1400, height: int = 900, dark: bool = False, calm: bool = True) -> Page:
        contexts.append(request.getfixturevalue("browser").new_context() if contexts else profile)
        page = contexts[-1].new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(
            color_scheme="dark" if dark else "light", reduced_motion="reduce" if calm else "no-preference"
        )
        page.set_default_timeout(PATIENCE)
        page.on(
            "console", lambda said: complaints.append(f"{said.text} {said.location}") if said.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(served.url)
        page.wait_for_selector(".bar .play")
        return page

    yield open_page
    for context in contexts[1:]:
        context.close()
    empty, *used = profile.pages  # a browser without any page ends
    for page in used:
        page.close()
    profile.new_cdp_session(empty).send(
        "Storage.clearDataForOrigin", {"origin": served.url, "storageTypes": "cookies,local_storage"}
    )
    assert complaints == []


def installed() -> str:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "chromium is not installed; apt-get install chromium"
    return chromium
