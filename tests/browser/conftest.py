"""A real browser on the real server, for the tests that want one."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, expect, sync_playwright

from app.environment import Environment
from app.runs.live_run import Source
from app.server import Opener, place_of
from nayer.events import Event
from tests.browser.browsing import PATIENCE, QUIET, NewPage
from tests.support.serving import Served, serving

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")
def served() -> Iterator[Served]:
    """The page. With NAYER_TEST_RUNS_ON, as in `make cluster`, its runs work on a cluster."""
    environment = Environment(grace_seconds=60.0, capacity=8, runs_on=os.environ.get("NAYER_TEST_RUNS_ON", ""))
    with place_of(environment) as (environment, opener), serving(unhurried(opener), environment) as served:
        yield served


def unhurried(opener: Opener) -> Opener:
    """Only where other tests run beside these ones."""
    return (lambda plan: cast(Source, Unhurried(opener(plan)))) if "PYTEST_XDIST_WORKER" in os.environ else opener


class Unhurried:
    """A source that rests for twice as long as it works: at full speed it would take a core from the other tests."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def events(self) -> Iterator[Event]:
        began = time.monotonic()
        for event in self._source.events():
            worked = time.monotonic() - began
            yield event
            time.sleep(2 * worked)
            began = time.monotonic()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


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
    """Opens the page at that address as a new visitor; at the end of the test nothing may have gone wrong there."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        width: int = 1400, height: int = 900, dark: bool = False, calm: bool = True, address: str = ""
    ) -> Page:
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
        page.goto(served.url + address)
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
