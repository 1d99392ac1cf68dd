"""axe-core on the page as it stands, with what it says in the words of a failing test."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = "rules => axe.run(document, { runOnly: { type: 'tag', values: rules }, resultTypes: ['violations'] })"


def findings(page: Page) -> list[str]:
    """What axe finds, one line each, whatever its impact."""
    page.evaluate(_AXE)
    found = page.evaluate(_RUN, _RULES)["violations"]
    return [
        f"{one['impact']} {one['id']}: {one['help']}: {node['target']} {node['html'][:120]}"
        for one in found
        for node in one["nodes"]
    ]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
