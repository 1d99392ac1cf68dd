"""What is said of a difference is what Student's t allows, and no more."""

import math
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nayer.analysis.significance import difference, verdict

NUMBERS = st.lists(st.floats(-100, 100), min_size=2, max_size=6)


def test_the_interval_is_students():
    apart = difference([3.0, 5.0, 7.0], [2.0, 2.0, 2.0])
    # mean 3, standard deviation 2; the quantile of t for 97.5 % and two degrees of freedom is 4.302652729911275
    half = 4.302652729911275 * 2 / math.sqrt(3)
    assert (apart.mean, apart.low, apart.high) == pytest.approx((3.0, 3 - half, 3 + half))
    assert not apart.excludes_zero


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


def test_arms_that_are_the_same_are_told_apart_in_at_most_one_case_of_twenty():
    rng, told = np.random.default_rng(0), 0
    for numbers in rng.normal(size=(1000, 5, 3)):  # a comparison of five arms over three seeds, that differ by chance
        rows = sorted(numbers.tolist(), key=fmean)
        told += any(difference(rows[-1], row, comparisons=10).excludes_zero for row in rows[:-1])
    assert told <= 50 + 1.64 * math.sqrt(1000 * 0.05 * 0.95)  # 95 % of the counts that a share of 5 % gives


def test_the_sentence_allows_for_every_pair():
    results = {arm: {0: 0.0, 1: shift, 2: -shift} for arm, shift in (("A", 0.0), ("B", 1.0), ("C", 2.0))}
    results["D"] = {0: 9.0, 1: 9.0, 2: 9.0}
    half = difference([9.0] * 3, [0.0, 1.0, -1.0], comparisons=6).high - 9
    said = verdict(results, what="accuracy", unit="points")
    assert f"9.0 points above B ({9 - half:.1f} to {9 + half:.1f}".replace("-", "−") in said


def test_of_many_arms_the_nearest_are_named_and_the_others_counted():
    results = {f"arm{place}": {0: 10.0 * place, 1: 10.0 * place + 0.1} for place in range(9)}
    said = verdict(results, what="accuracy", unit="points")
    assert [f"above arm{place} " in said for place in range(8)] == [False] * 5 + [True] * 3
    assert "at least 40.0 points above 5 others (all of these differences are significant)" in said
    alone = verdict({arm: {0: seeds[0]} for arm, seeds in results.items()}, what="accuracy", unit="points")
    assert alone.endswith("and at least 40.0 points above 5 others; one seed proves nothing.")


def test_equal_means_of_unequal_seeds_are_not_called_the_same():
    said = verdict({"A": {0: 1.0, 1: 3.0}, "B": {0: 3.0, 1: 1.0}}, what="accuracy", unit="points")
    assert "0.0 points above B (−25.4 to 25.4, not significant)" in said


def test_arms_without_a_result_are_named():
    said = verdict({"A": {0: 1.0}, "B": {0: 3.0}, "C": {}}, what="accuracy", unit="points")
    assert said.endswith("2.0 points above A; one seed proves nothing. Without a result: C.")


def test_one_seed_proves_nothing():
    said = verdict({"NAYER": {0: 83.0}, "DFQ": {0: 80.9}}, what="accuracy", unit="points")
    assert said == (
        "With seed 0 NAYER ended with the highest accuracy (83.0): 2.1 points above DFQ; one seed proves nothing."
    )


def test_runs_under_way_are_told_of_as_they_stand():
    said = verdict({"A": {0: 83.0}, "B": {0: 80.9}}, what="accuracy", unit="points", ended=False)
    assert said == (
        "So far, with seed 0 A has the highest accuracy (83.0): 2.1 points above B; one seed proves nothing."
    )


def test_several_seeds_come_with_intervals_that_hold_together():
    results = {"A": {0: 80.0, 1: 82.0, 2: 81.0}, "B": {0: 79.9, 1: 82.3, 2: 80.0}, "C": {0: 50.0, 1: 52.1, 2: 51.0}}
    said = verdict(results, what="accuracy", unit="points")
    assert said.startswith("Over 3 seeds A ended with the highest accuracy (81.0): 0.3 points above B (")
    assert "not significant) and 30.0 points above C (29." in said
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
        ({"A": {0: 1.0}, "B": {1: 1.0}}, "No seed has finished in every arm"),
        ({"A": {0: 1.0, 1: 2.0}, "B": {0: 1.0, 1: 2.0}}, "all arms ended with the same accuracy"),
    ],
)
def test_where_nothing_can_be_said_that_is_said(results, says):
    assert says in verdict(results, what="accuracy", unit="points")
