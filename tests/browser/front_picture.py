"""docs/page.webp, the picture in the README: the page as a visitor finds it, with the shipped recording at its end."""

from __future__ import annotations

import io
import shutil
import sys

from PIL import Image
from playwright.sync_api import sync_playwright

from app.environment import RECORDING, Environment
from tests.browser.browsing import QUIET
from tests.support.repository import ROOT
from tests.support.serving import serving

TARGET = ROOT / "docs" / "page.webp"
WINDOW = {"width": 1440, "height": 1020}
PATIENCE = 60_000  # ms


def main() -> None:
    """Open the page without motion, wait for its images and curves, and save what the window shows."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    environment = Environment(grace_seconds=60.0, recording=RECORDING)
    with serving(environment=environment) as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_page(viewport=WINDOW, color_scheme="light", reduced_motion="reduce")
        page.set_default_timeout(PATIENCE)
        page.goto(served.url)
        for kind in ("real", "invented"):
            page.locator(f".overview .picture.{kind}[style*=url]").last.wait_for()
        page.locator(".bar .standing", has_text="on this machine").wait_for()
        page.wait_for_timeout(1000)
        shot = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    shot.convert("RGB").save(TARGET, "WEBP", quality=82, method=6)
    sys.stdout.write(f"docs/{TARGET.name}: {shot.width} × {shot.height}, {TARGET.stat().st_size // 1000} kB.\n")


if __name__ == "__main__":
    main()
