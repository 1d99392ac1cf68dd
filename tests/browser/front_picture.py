"""docs/page.webp, the picture in the README: a real run in a real browser, made anew by `make picture` in minutes."""

from __future__ import annotations

import io
import shutil
import sys

from PIL import Image
from playwright.sync_api import sync_playwright

from app.environment import Environment
from tests.browser.browsing import QUIET
from tests.support.repository import ROOT
from tests.support.serving import serving

TARGET = ROOT / "docs" / "page.webp"
WINDOW = {"width": 1440, "height": 1020}
ROUNDS = 9  # on the picture
PATIENCE = 900_000  # ms


def main() -> None:
    """Play until the pool holds something to look at, pause, and save what the window shows."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with serving(environment=Environment(grace_seconds=60.0)) as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_page(viewport=WINDOW, color_scheme="light", reduced_motion="reduce")
        page.set_default_timeout(PATIENCE)
        page.goto(served.url)
        page.click(".bar .play")
        page.locator(".bar[data-state=running]").wait_for()
        page.locator(".samples .row:not(.live)").nth(ROUNDS - 1).wait_for()
        page.click(".bar .play")
        page.locator(".bar[data-state=paused]").wait_for()
        page.wait_for_timeout(3000)
        shot = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    shot.convert("RGB").save(TARGET, "WEBP", quality=82, method=6)
    sys.stdout.write(f"docs/{TARGET.name}: {shot.width} × {shot.height}, {TARGET.stat().st_size // 1000} kB.\n")


if __name__ == "__main__":
    main()
