"""The pictures of a comparison show the names of people as they are."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from nayer.common.figures import literal
from nayer.compare import charts
from nayer.compare.outcome import Outcome

ODD = ("$\\foo$", "$x^$ and $y", "\\$", "漢字", "{}")


def test_a_pair_of_dollars_is_no_formula_and_a_missing_letter_no_warning(recwarn):
    pixels = np.zeros((8, 8 * len(ODD), 1), np.uint8)
    outcomes = [
        Outcome(name, 0, {}, 1.0, curve=[(0.0, 0.1), (1.0, 0.2)], measured_on=name, teacher_accuracy=0.9)
        for name in ODD
    ]
    points = {name: [(1.0, 0.5, 0.1), (2.0, 0.6, 0.1)] for name in ODD}
    steps = {name: ([1.0, 2.0], [0.5, 0.4]) for name in ODD}
    made = [
        charts.samples(dict.fromkeys(ODD, pixels), ODD),
        charts.curves(outcomes),
        charts.budget_curves(points, budget="s", measured=ODD[0], teacher=0.9)[".png"],
        charts.step_curves(steps, measured="ce", target=0.5)[".png"],
    ]
    for content in made:
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.format == "PNG"
    assert not recwarn.list


@pytest.mark.parametrize("name", ODD)
def test_matplotlib_draws_what_was_typed(name):
    from matplotlib.text import Text

    assert Text(text=literal(name))._preprocess_math(literal(name)) == (name, False)
