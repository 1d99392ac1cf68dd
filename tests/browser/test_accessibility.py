"""What axe-core finds on each tab: nothing. All themes, widths and states are in tests/slow; here each tab once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.api.static_files import static_files
from app.run_state.figure import CLASS_COLORS
from tests.browser.auditing import findings, overflow
from tests.browser.browsing import NewPage, open_details


@pytest.mark.parametrize(
    ("tabs", "width", "dark"), [(("Live", "Learn"), 390, True), (("Reset lab", "Embeddings"), 1400, False)]
)
def test_axe_finds_nothing_on_any_tab(new_page: NewPage, tabs: tuple[str, ...], width: int, dark: bool) -> None:
    page = new_page(width=width, dark=dark)
    for tab in tabs:
        page.get_by_role("tab", name=tab, exact=True).click()
        page.locator(".nayer .card:visible").first.wait_for()
        assert findings(page) == []
        assert overflow(page) == 0


def test_what_each_panel_shows_is_explained_by_a_key_and_shut_by_escape(new_page: NewPage) -> None:
    page = new_page()
    cards = page.locator("#stage .card")
    assert cards.count() == page.locator("#stage .card:has(button.help)").count() > 5
    open_details(page)
    button = page.locator(".card.losses button.help").first
    button.focus()
    page.keyboard.press("Enter")
    card = page.locator(".help-card:popover-open")
    card.locator("a").wait_for()
    assert "α" in card.inner_text()
    page.keyboard.press("Tab")
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    assert opened.value.url.endswith("/code/nayer/distillation/train.py#generator_objective")
    assert "def generator_objective" in opened.value.locator("span:target").inner_text()
    page.keyboard.press("Escape")
    assert page.locator(".help-card:popover-open").count() == 0


def linear(color: str) -> NDArray[np.float64]:
    """sRGB without its gamma, (3,)."""
    values = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE Lab of linear sRGB (n, 3), where a distance of 2.3 is just noticed."""
    weights = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratios = light.clip(0, 1) @ weights.T / np.array([0.9505, 1, 1.089])
    x, y, z = np.where(ratios > 0.008856, np.cbrt(ratios), 7.787 * ratios + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


# Machado et al., A Physiologically-based Model for Simulation of Color Vision Deficiency, 2009: severity 1.
EYES = {
    "full": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


@pytest.mark.parametrize("eye", EYES)
def test_ten_class_colors_are_told_apart_by_any_eye(eye: str) -> None:
    assert len(CLASS_COLORS) == 10
    seen = lab(np.stack([linear(color) for color in CLASS_COLORS]) @ np.array(EYES[eye]).T)
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)[~np.eye(10, dtype=bool)]
    assert apart.min() > 15


def test_a_classes_color_is_named_in_one_place() -> None:
    named = [name for name, path in static_files().items() if CLASS_COLORS[0] in path.read_text("utf-8")]
    assert named == ["core/constants.js"]
