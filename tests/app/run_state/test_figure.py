"""A run's sheet: a real picture, also of a run that has hardly begun, in the colors the page has."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from app.run_state.figure import CLASS_COLORS, sheet
from app.run_state.model import View
from app.run_state.reducer import fold
from nayer.events import RunStarted
from tests.support.scripted import SHORT, script

EVENTS = list(script(SHORT))


def pixels(view: View) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with Image.open(io.BytesIO(sheet(view))) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize("heard", [0, 1, 2, len(EVENTS)])
def test_a_sheet_can_be_drawn_at_any_moment(heard: int) -> None:
    assert pixels(fold(View(), EVENTS[:heard])).shape == (1000, 1400, 3)


def test_names_with_dollars_or_letters_that_the_font_lacks_are_no_formula_and_no_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    names = ["$\\foo$", "a $ b", "漢字", "\\$"]
    begun = [replace(one, classes=names, teacher="$x^$") if isinstance(one, RunStarted) else one for one in EVENTS]
    assert pixels(fold(View(), begun)).shape == (1000, 1400, 3)
    assert not recwarn.list


def test_the_sheet_shows_the_run_it_is_of() -> None:
    empty, whole = pixels(View()), pixels(fold(View(), EVENTS))
    assert (empty != whole).any(axis=2).mean() > 0.05
    for color in CLASS_COLORS[:4]:  # the anchors of the script's four classes
        wanted = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
        assert (np.abs(whole.astype(int) - wanted).max(axis=2) < 4).any(), color
