"""The mean and range of curves over seeds, against numpy and by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nayer.analysis.seed_range import over_seeds

VALUES = st.lists(st.floats(0, 1), min_size=3, max_size=3)


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_with_the_same_x_the_mean_and_range_are_those_of_the_columns(values) -> None:
    x, table = np.array([1.0, 2.0, 4.0]), np.array(values)
    shared, mean, low, high = over_seeds([(x, row) for row in table])
    assert shared.tolist() == x.tolist()
    assert np.allclose(mean, table.mean(axis=0))
    assert np.array_equal(low, table.min(axis=0))
    assert np.array_equal(high, table.max(axis=0))


def test_curves_are_compared_where_all_of_them_are_and_between_points_by_a_straight_line() -> None:
    first = (np.array([0.0, 2.0, 4.0]), np.array([0.0, 1.0, 1.0]))
    second = (np.array([1.0, 3.0]), np.array([0.0, 1.0]))
    x, mean, low, high = over_seeds([first, second, (np.empty(0), np.empty(0))])
    assert x.tolist() == [1.0, 2.0, 3.0]
    assert mean.tolist() == [0.25, 0.75, 1.0]  # of 0.5 and 0, of 1 and 0.5, of 1 and 1
    assert low.tolist() == [0.0, 0.5, 1.0]
    assert high.tolist() == [0.5, 1.0, 1.0]
    assert all(not len(one) for one in over_seeds([]))


def test_a_mean_curve_lies_between_its_seeds_and_is_theirs_where_they_agree() -> None:
    a, b = (np.array([0.0, 2.0]), np.array([0.2, 0.6])), (np.array([1.0, 4.0]), np.array([0.4, 0.7]))
    x, mean, *_ = over_seeds([a, b])
    assert x.tolist() == [1.0, 2.0]
    assert np.allclose(mean, [0.4, (0.6 + 0.5) / 2])
    same = over_seeds([a, a])
    assert np.array_equal(same[0], a[0])
    assert all(np.array_equal(values, a[1]) for values in same[1:])
