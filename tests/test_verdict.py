"""What is said of a difference is what Student's t allows, and no more."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nayer.verdict import difference, verdict

NUMBERS = st.lists(st.floats(-100, 100), min_size=2, max_size=6)


def test_the_interval_is_students():
    apart = difference([3.0, 5.0, 7.0], [2.0, 2.0, 2.0])
    # mean 3, standard deviation 2; the quantile of t for 97.5 % and two degrees of freedom is 4.302652729911275
    half = 4.302652729911275 * 2 / math.sqrt(3)
    assert (apart.mean, apart.low, apart.high) == pytest.approx((3.0, 3 - half, 3 + half))
    assert not apart.is_told


def test_with_two_seeds_the_quantile_is_a_tangent():
    apart = difference([1.0, 3.0], [0.0, 0.0], comparisons=4)
    assert apart.high - apart.mean == pytest.approx(math.tan(math.pi * (0.5 - 0.05 / 8)))  # s / √n = 1


@given(NUMBERS, st.integers(1, 5))
def test_more_comparisons_never_make_one_surer(values, comparisons):
    zeros = [0.0] * len(values)
    one, several = difference(values, zeros), difference(values, zeros, comparisons=comparisons)
    assert several.low <= one.low + 1e-9
    assert several.high >= one.high - 1e-9


@given(NUMBERS)
def test_turned_round_it_is_the_same_with_the_other_sign(values):
    zeros = [0.0] * len(values)
    there, back = difference(values, zeros), difference(zeros, values)
    assert (there.mean, there.low, there.high) == pytest.approx((-back.mean, -back.high, -back.low))


def test_one_seed_proves_nothing():
    said = verdict({"NAYER": {0: 83.0}, "DFQ": {0: 80.9}}, what="accuracy", unit="points")
    assert said == (
        "With seed 0 NAYER ended with the highest accuracy (83.0): 2.1 points above DFQ; one seed proves nothing."
    )


def test_several_seeds_come_with_intervals_that_hold_together():
    results = {"A": {0: 80.0, 1: 82.0, 2: 81.0}, "B": {0: 79.9, 1: 82.3, 2: 80.0}, "C": {0: 50.0, 1: 52.1, 2: 51.0}}
    said = verdict(results, what="accuracy", unit="points")
    assert said.startswith("Over 3 seeds A ended with the highest accuracy (81.0): 0.3 points above B (")
    assert "so they cannot be told apart) and 30.0 points above C (29." in said
    assert said.endswith("intervals that hold together with 95 % confidence.")
    assert "one seed" not in said


def test_only_seeds_that_all_arms_have_are_counted():
    said = verdict({"A": {0: 1.0, 1: 90.0}, "B": {0: 3.0}}, what="accuracy", unit="points")
    assert said.startswith("With seed 0 B ended with the highest accuracy (3.0): 2.0 points above A")


@pytest.mark.parametrize(
    ("results", "says"),
    [
        ({}, "Fewer than two arms"),
        ({"A": {0: 1.0}, "B": {}}, "Fewer than two arms"),
        ({"A": {0: 1.0}, "B": {1: 1.0}}, "No seed has been run in every arm"),
        ({"A": {0: 1.0, 1: 2.0}, "B": {0: 1.0, 1: 2.0}}, "all arms ended with the same accuracy"),
    ],
)
def test_where_nothing_can_be_said_that_is_said(results, says):
    assert says in verdict(results, what="accuracy", unit="points")
