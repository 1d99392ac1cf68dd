"""Laws of the map: PCA's variances, Procrustes' invariances, and one picture for one table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nayer.analysis.projection import features_onto_anchors, onto_anchors, pca_basis
from nayer.config import Config
from nayer.embeddings.label_table import label_table

SEEDS = st.integers(0, 10_000)
CLASSES = st.sampled_from([2, 3, 4, 10, 37])


def rotation(rng: np.random.Generator, size: int) -> np.ndarray:
    """A random orthogonal matrix (size, size); half of them mirror."""
    return np.linalg.qr(rng.standard_normal((size, size)))[0]


@given(SEEDS, CLASSES, st.sampled_from([2, 5, 64]))
def test_the_plane_holds_the_two_largest_variances(seed: int, k: int, d: int) -> None:
    table = np.random.default_rng(seed).standard_normal((k, d))
    basis = pca_basis(table)
    variances = np.linalg.svd(table - table.mean(axis=0), compute_uv=False)[:2] ** 2 / k
    np.testing.assert_allclose(basis.project(table).var(axis=0), variances, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(basis.project(table).mean(axis=0), 0, atol=1e-9)


@given(SEEDS, st.sampled_from([3, 10, 37]))
def test_the_axes_are_orthonormal_and_the_picture_never_stretches(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    basis = pca_basis(rng.standard_normal((k, 20)))
    np.testing.assert_allclose(basis.axes @ basis.axes.T, np.eye(2), atol=1e-9)
    points = rng.standard_normal((3, 4, 20))
    flat = basis.project(points)
    assert flat.shape == (3, 4, 2)
    assert (np.linalg.norm(flat[0] - flat[1], axis=-1) <= np.linalg.norm(points[0] - points[1], axis=-1) + 1e-9).all()


@given(SEEDS)
def test_axes_are_orthonormal_even_where_classes_lie_almost_on_a_line(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = np.outer(rng.standard_normal(10), rng.standard_normal(20)) + 1e-6 * rng.standard_normal((10, 20))
    axes = pca_basis(table).axes
    np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-9)


@given(SEEDS, CLASSES)
def test_the_picture_does_not_depend_on_the_order_of_classes(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    table, order = rng.standard_normal((k, 12)), rng.permutation(k)
    picture = pca_basis(table).project(table)
    np.testing.assert_allclose(pca_basis(table[order]).project(table[order]), picture[order], atol=1e-5)


def test_rounding_does_not_mirror_or_turn_the_picture() -> None:
    rng = np.random.default_rng(0)
    for latent in ("lte", "one-hot", "random"):
        names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
        table = label_table(names, latent, encoder=Config().encoder, prompt=Config().prompt, seed=0).embeddings
        picture = pca_basis(table).project(table)
        shaken = table.astype(np.float64) * (1 + 1e-13 * rng.standard_normal(table.shape))
        np.testing.assert_allclose(pca_basis(shaken).project(shaken), picture, atol=1e-2 * np.ptp(picture))


@pytest.mark.parametrize("k", [3, 4, 10, 26])
def test_one_hot_classes_stand_on_a_circle_in_label_order(k: int) -> None:
    picture = pca_basis(np.eye(k)).project(np.eye(k))  # any k-gon is a best plane of a simplex; this one can be read
    angles = 2 * np.pi * np.arange(k) / k
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.sqrt(2 / k)
    np.testing.assert_allclose(picture, circle, atol=1e-6)


@given(SEEDS, CLASSES, st.sampled_from([1, 3, 12, 40]))
def test_a_turned_scaled_shifted_copy_lands_on_the_anchors(seed: int, k: int, extra: int) -> None:
    rng = np.random.default_rng(seed)
    anchors = rng.standard_normal((k, 12))
    wide = np.pad(anchors, ((0, 0), (0, extra)))  # other width than the anchors', as a noisy layer's is
    copies = np.stack([0.01 * wide @ rotation(rng, 12 + extra) + 5, 300 * wide @ rotation(rng, 12 + extra) - 1])
    np.testing.assert_allclose(onto_anchors(copies, anchors), np.stack([anchors, anchors]), atol=1e-8)


@given(SEEDS, CLASSES)
def test_no_other_similarity_lies_nearer_to_the_anchors(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    anchors, points = rng.standard_normal((k, 6)), rng.standard_normal((k, 6))
    best = ((onto_anchors(points[None], anchors)[0] - anchors) ** 2).sum()
    centered, mean = points - points.mean(axis=0), anchors.mean(axis=0)
    for _ in range(20):
        other = rng.uniform(0, 2) * centered @ rotation(rng, 6) + mean
        assert best <= ((other - anchors) ** 2).sum() + 1e-9


@given(SEEDS, CLASSES)
def test_shape_alone_decides_where_a_group_lands(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    anchors, points = rng.standard_normal((k, 9)), rng.standard_normal((2, k, 30))
    laid = onto_anchors(points, anchors)
    np.testing.assert_allclose(onto_anchors(7 * points @ rotation(rng, 30) - 2, anchors), laid, atol=1e-7)
    order = rng.permutation(k)
    np.testing.assert_allclose(onto_anchors(points[:, order], anchors[order]), laid[:, order], atol=1e-7)
    np.testing.assert_allclose(onto_anchors(points[1:], anchors), laid[1:], atol=1e-12)  # each group by itself


@given(SEEDS, CLASSES)
def test_one_sample_a_class_is_laid_like_a_group(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    anchors, points = rng.standard_normal((k, 9)), rng.standard_normal((k, 30)).astype(np.float32)
    laid = features_onto_anchors(points, np.arange(k), anchors)
    np.testing.assert_allclose(laid, onto_anchors(points[None], anchors)[0], atol=1e-7)


@given(SEEDS, CLASSES)
def test_samples_surround_their_class_mean_which_lies_where_the_means_are_laid(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    anchors = rng.standard_normal((k, 9))
    labels = rng.permutation(np.repeat(np.arange(k), 5))
    features = rng.standard_normal((k, 20))[labels] + 0.1 * rng.standard_normal((5 * k, 20))
    laid = features_onto_anchors(features, labels, anchors)
    means = np.stack([features[labels == label].mean(axis=0) for label in range(k)])
    expected = onto_anchors(means[None], anchors)[0]
    np.testing.assert_allclose(np.stack([laid[labels == c].mean(axis=0) for c in range(k)]), expected, atol=1e-8)


def test_classes_without_samples_have_no_part() -> None:
    rng = np.random.default_rng(0)
    anchors = rng.standard_normal((5, 9))
    turned = anchors @ rotation(rng, 9)
    laid = features_onto_anchors(turned[[1, 4, 3]], [1, 4, 3], anchors)
    np.testing.assert_allclose(laid, anchors[[1, 4, 3]], atol=1e-9)
    np.testing.assert_allclose(features_onto_anchors(turned[2:4], [2, 2], anchors), anchors[[2, 2]], atol=1e-9)
    assert features_onto_anchors(np.empty((0, 20)), np.empty(0, int), anchors).shape == (0, 9)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e8])
def test_without_variance_everything_lies_in_one_place(value: float) -> None:
    same = np.full((10, 7), value) + np.arange(7) / 3  # whose mean is off by rounding
    basis = pca_basis(same)
    np.testing.assert_array_equal(basis.axes, 0)
    assert basis.project(same).tolist() == [[0, 0]] * 10
    anchors = np.random.default_rng(0).standard_normal((10, 5))
    mean = np.tile(anchors.mean(axis=0), (1, 10, 1))
    np.testing.assert_allclose(onto_anchors(same[None], anchors), mean, atol=1e-9)
    np.testing.assert_allclose(onto_anchors(anchors[None], same), same[None], rtol=1e-6)


def test_two_classes_lie_on_the_first_axis() -> None:
    table = np.array([[0.0, 3.0, 1.0], [4.0, 0.0, 1.0]])
    picture = pca_basis(table).project(table)
    np.testing.assert_allclose(picture, [[-2.5, 0], [2.5, 0]], atol=1e-9)  # the first large loading, 4 − 0, is positive


def test_input_of_any_float_type_is_left_alone() -> None:
    anchors = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    points = np.random.default_rng(1).standard_normal((2, 4, 8)).astype(np.float16)
    before = anchors.copy(), points.copy()
    pca_basis(anchors).project(onto_anchors(points, anchors))
    np.testing.assert_array_equal(anchors, before[0])
    np.testing.assert_array_equal(points, before[1])
