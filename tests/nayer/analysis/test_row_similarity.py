"""Cosines before and after BatchNorm, against closed forms and PyTorch's own layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nayer.analysis.row_similarity import Geometry, batch_normalized, lowest_mean
from nayer.networks.generator import Latent


def drawn(k: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((k, d)).astype(np.float32)


def test_the_batchnorm_is_the_one_in_front_of_the_noisy_layer() -> None:
    table = drawn(7, 30) * 0.05 + 0.3
    latent = Latent(torch.from_numpy(table))
    codes = latent(torch.arange(7), None).detach().numpy()  # (7, 30)
    np.testing.assert_allclose(batch_normalized(table), codes, atol=1e-5)


def test_batchnorm_brings_dimensions_to_mean_zero_and_variance_one_and_a_constant_one_to_zero() -> None:
    table = drawn(9, 12) * 1000 + 7
    table[:, 4] = 3.25
    rows = batch_normalized(table)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.delete(rows.var(axis=0), 4), 1, atol=1e-6)
    assert not rows[:, 4].any()


def test_cosines_of_known_vectors() -> None:
    geometry = Geometry.of([[1, 0], [0, 2], [3, 3], [-4, 0]])
    half = np.sqrt(0.5)
    np.testing.assert_allclose(
        geometry.cosines,
        [[1, 0, half, -1], [0, 1, half, 0], [half, half, 1, -half], [-1, 0, -half, 1]],
        atol=1e-12,
    )
    assert geometry.mean == pytest.approx((half - 1) / 6)
    assert (geometry.lowest, geometry.highest) == pytest.approx((-1, half))


def test_closest_pairs_come_first_and_equal_ones_in_order() -> None:
    geometry = Geometry.of([[1, 0], [0, 2], [3, 3], [-4, 0]])
    assert geometry.closest(3) == [(0, 2), (1, 2), (0, 1)]
    assert len(geometry.closest(100)) == 6


@pytest.mark.parametrize("k", [2, 5, 40])
def test_one_hot_rows_are_orthogonal_and_after_batchnorm_as_far_apart_as_can_be(k: int) -> None:
    before, after = Geometry.of(np.eye(k)), Geometry.of(batch_normalized(np.eye(k)))
    assert before.mean == before.highest == 0
    np.testing.assert_allclose([after.lowest, after.mean, after.highest], lowest_mean(k), atol=1e-9)
    assert after.order() == list(range(k))


def test_no_rows_average_below_the_lowest_mean_and_batchnorm_takes_them_near_it() -> None:
    table = drawn(12, 64) + 2.0  # they all share a direction
    before, after = Geometry.of(table), Geometry.of(batch_normalized(table))
    assert before.mean > 0.7
    assert lowest_mean(12) - 1e-12 <= after.mean < lowest_mean(12) + 0.01


def test_a_shift_common_to_all_rows_and_a_scale_of_a_dimension_do_not_outlive_batchnorm() -> None:
    table = drawn(8, 16).astype(np.float64)
    moved = table * np.linspace(50, 90, 16) + np.linspace(-3, 3, 16)
    np.testing.assert_allclose(
        Geometry.of(batch_normalized(moved)).cosines, Geometry.of(batch_normalized(table)).cosines, atol=1e-4
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shuffled_rows_along_an_arc_are_put_in_order_again(seed: int) -> None:
    angles = np.sort(np.random.default_rng(seed).uniform(0, 3, 25))
    places = np.random.default_rng(seed + 10).permutation(25)
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)[places]
    found = places[Geometry.of(rows).order()].tolist()
    assert found in (list(range(25)), list(range(24, -1, -1)))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_groups_that_are_mixed_up_stand_together_again(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.repeat(np.arange(5), 6))
    rows = np.eye(5)[kinds] + 0.2 * rng.standard_normal((30, 5))
    found = kinds[Geometry.of(rows).order()]
    assert (np.diff(found) != 0).sum() == 4


def test_the_order_does_not_depend_on_how_long_the_rows_are_but_holds_every_row_once() -> None:
    table = drawn(20, 10)
    order = Geometry.of(table).order()
    assert sorted(order) == list(range(20))
    assert Geometry.of(table * np.linspace(1, 9, 20)[:, None]).order() == order
