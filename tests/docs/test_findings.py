"""docs/findings.md says what its numbers say, and bounds of a factor are what arithmetic gives."""

import math

import pytest
from PIL import Image

from tests.findings.kept import complete, rows
from tests.findings.report import DATA, PAGE, PICTURES, factor, lead, page, reach
from tests.findings.tuning import changed, factors

INFINITE = math.inf


def test_the_page_shows_the_numbers():
    text = PAGE.read_text("utf-8")
    assert page(text) == text, "python -m tests.findings.report writes it anew"


@pytest.mark.parametrize("name", PICTURES)
def test_each_question_has_a_small_picture(name):
    path = DATA / f"{name}.webp"
    assert path.stat().st_size < 60_000
    with Image.open(path) as picture:
        assert picture.size[0] == 800


def run(seconds, accuracy):
    return {"seconds": str(seconds), "accuracy": str(accuracy)}


def test_a_level_is_reached_between_two_budgets_or_above_the_largest():
    cells = {3.0: [run(3.2, 0.5), run(2.8, 0.7)], 6.0: [run(6.0, 0.79), run(6.0, 0.83)], 12.0: [run(12.0, 0.9)]}
    assert reach(cells, [3.0, 6.0, 12.0], 0.8) == (3.0, 6.0)
    assert reach(cells, [3.0, 6.0, 12.0], 0.95) == (12.0, INFINITE)
    assert reach(cells, [3.0, 6.0, 12.0], 0.6) == (0.0, pytest.approx(3.0))


@pytest.mark.parametrize(
    ("theirs", "ours", "told"),
    [
        ((6.0, 12.0), (3.0, 6.0), "1.0 to 4.0"),
        ((12.0, INFINITE), (3.0, 6.0), "> 2.0"),
        ((0.0, 3.0), (3.0, 6.0), "< 1.0"),
        ((12.0, INFINITE), (12.0, INFINITE), "–"),
    ],
)
def test_a_factor_has_the_bounds_that_both_times_leave_open(theirs, ours, told):
    assert factor(theirs, ours) == told


def test_a_lead_is_paired_by_seed_and_has_its_interval():
    ours = [{"seed": "1", "accuracy": "0.8"}, {"seed": "0", "accuracy": "0.7"}]
    theirs = [{"seed": "0", "accuracy": "0.71"}, {"seed": "1", "accuracy": "0.79"}]
    assert lead(ours, theirs) == "+0.0 (−12.7 to +12.7)"  # of −1 and +1: Student's t with one degree of freedom


def test_what_was_measured_is_not_measured_again(tmp_path):
    asked = []

    def measure(seed):
        asked.append(seed)
        return {"value": 10 * seed}

    complete(tmp_path / "a.jsonl", [{"seed": 1}, {"seed": 2}], measure)
    complete(tmp_path / "a.jsonl", [{"seed": 2}, {"seed": 3}], measure)
    assert asked == [1, 2, 3]
    assert rows(tmp_path / "a.jsonl") == [{"seed": n, "value": 10 * n} for n in (1, 2, 3)]


def test_tuning_tries_the_generator_s_rate_with_the_best_rate_of_the_student():
    tried = [{"method": "nayer", "student": one["student"], "generator": 1.0} for one in factors([], "nayer")]
    assert [row["student"] for row in tried] == [1.0, pytest.approx(1 / 3), 3.0]
    told = [row | {"accuracy": accuracy} for row, accuracy in zip(tried, (0.5, 0.7, 0.6), strict=True)]
    assert factors(told, "nayer") == [{"student": pytest.approx(1 / 3), "generator": factor} for factor in (0.5, 2.0)]
    assert factors([row | {"method": "noise"} for row in told], "noise") == []


def test_a_factor_changes_the_preset_s_own_rate():
    assert changed("nayer", 1.0, 2.0) == {"generator_lr": 0.008}
    assert changed("deepinversion", 3.0, 0.5).keys() == {"student_lr", "z_lr"}
