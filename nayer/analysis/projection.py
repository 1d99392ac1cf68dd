"""The map of the label-text embeddings: anchors on one fixed plane, and moving points over them.

The anchors never move. Noisy-layer outputs and samples' features are in other spaces. A similarity transform
(shift, orthogonal map, scale), fitted on the k classes, maps them into the anchors' space. Then they are projected
onto the same plane. All arithmetic is float64, for any input type.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Doubles = NDArray[np.float64]

NEGLIGIBLE = 1e-9  # a spread this small relative to the numbers, or to the largest spread, is rounding
TIE_BREAK = 1e-9  # weight of the circle relative to the table's variance: far above rounding, too small to see


@dataclass(frozen=True)
class Basis:
    """A plane in embedding space."""

    mean: Doubles  # (d,)
    axes: Doubles  # (2, d) orthonormal; a direction without variance is all 0

    def project(self, points: ArrayLike) -> Doubles:
        """(…, d) -> (…, 2)."""
        placed: Doubles = (np.asarray(points, dtype=np.float64) - self.mean) @ self.axes.T
        return placed


def pca_basis(table: ArrayLike) -> Basis:
    """The plane of the two largest variances of `table` (k, d): the same table gives the same picture everywhere.

    Each axis points where its first large loading is positive. If variances are equal, PCA does not fix the axes
    (one-hot rows: none of them). Then the axes are those nearest to the classes on a circle in label order.
    """
    rows = np.asarray(table, dtype=np.float64)
    mean, centered = _centered(rows)  # (d,), (k, d)
    gram = centered @ centered.T  # (k, k)
    angles = 2 * np.pi * np.arange(len(rows)) / len(rows)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (k, 2)
    circle = (circle - circle.mean(axis=0)) * [1.0, 0.5]  # unequal, so that their own order is fixed
    total = np.trace(gram)
    _, vectors = np.linalg.eigh(gram + TIE_BREAK * total * (circle @ circle.T) / len(rows))
    axes = np.zeros((2, rows.shape[1]))
    for axis, direction in zip(axes, vectors.T[::-1], strict=False):  # the largest variance first
        loadings = direction @ centered  # (d,)
        loadings -= axes.T @ (axes @ loadings)  # the tie-break's tilt, not small relative to a tiny second variance
        length = np.linalg.norm(loadings)
        if length > NEGLIGIBLE * np.sqrt(total):
            axis[:] = loadings / length * _sign(loadings)
    return Basis(mean, axes)


def onto_anchors(points: ArrayLike, anchors: ArrayLike) -> Doubles:
    """Each of m groups of k points (m, k, p) laid on the anchors (k, d) by its own similarity transform -> (m, k, d).

    Procrustes (Schönemann, 1966): the shift, orthogonal map (mirroring allowed) and scale with the least squared
    distance to the anchors. Points that all coincide land on the anchors' mean.
    """
    groups = np.asarray(points, dtype=np.float64)
    fixed = np.asarray(anchors, dtype=np.float64)
    laid = np.empty((len(groups), *fixed.shape))
    for place, group in enumerate(groups):
        laid[place] = _Similarity.fit(group, fixed).apply(group)
    return laid


def features_onto_anchors(features: ArrayLike, labels: ArrayLike, anchors: ArrayLike) -> Doubles:
    """Every sample's features (n, f) in the anchors' space (n, d), by the transform that lays class means on anchors.

    `labels` (n,) index the anchors' rows; classes without a sample have no part in the fit. Only directions in which
    class means differ are kept, because the fit has no information on the others.
    """
    samples = np.asarray(features, dtype=np.float64)
    fixed = np.asarray(anchors, dtype=np.float64)
    if not len(samples):
        return np.empty((0, fixed.shape[1]))
    present, place = np.unique(np.asarray(labels), return_inverse=True)
    means = np.zeros((len(present), samples.shape[1]))
    np.add.at(means, place, samples)
    means /= np.bincount(place)[:, None]
    return _Similarity.fit(means, fixed[present]).apply(samples)


@dataclass(frozen=True)
class _Similarity:
    """x -> (x − source_mean) · linear + target_mean."""

    source_mean: Doubles  # (p,)
    target_mean: Doubles  # (d,)
    into: Doubles  # (p, r) onto the r directions in which the source varies
    out: Doubles  # (r, d) scaled and turned into the target's space

    @classmethod
    def fit(cls, source: Doubles, target: Doubles) -> _Similarity:
        """The best similarity from `source` (k, p) to `target` (k, d), row by row."""
        source_mean, source_centered = _centered(source)
        target_mean, target_centered = _centered(target)
        source_left, source_values, source_right = _thin_svd(source_centered)  # (k, r), (r,), (r, p)
        target_left, target_values, target_right = _thin_svd(target_centered)  # (k, s), (s,), (s, d)
        # The cross-covariance (p, d) in both row spaces is only (r, s), r and s < k.
        cross = (source_values[:, None] * (source_left.T @ target_left)) * target_values
        left, values, right = _thin_svd(cross)
        spread = (source_values**2).sum()
        scale = values.sum() / spread if spread > 0 else 0.0
        return cls(source_mean, target_mean, source_right.T, scale * left @ right @ target_right)

    def apply(self, points: Doubles) -> Doubles:
        """(n, p) -> (n, d)."""
        return (points - self.source_mean) @ self.into @ self.out + self.target_mean


def _centered(rows: Doubles) -> tuple[Doubles, Doubles]:
    """(mean (d,), rows less the mean (k, d)); rows that differ by rounding only become exactly 0."""
    mean: Doubles = rows.mean(axis=0)
    centered = rows - mean
    coincide = np.abs(centered).max(initial=0.0) <= NEGLIGIBLE * np.abs(rows).max(initial=0.0)
    return mean, np.zeros_like(centered) if coincide else centered


def _thin_svd(matrix: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """The singular value decomposition without negligible directions."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    rank = int((values > NEGLIGIBLE * values.max(initial=0.0)).sum())
    return left[:, :rank], values[:rank], right[:rank]


def _sign(loadings: Doubles) -> float:
    """±1 that makes the first large loading positive: at least 0.9 of the largest, so rounding does not decide ties."""
    sizes = np.abs(loadings)
    return float(np.sign(loadings[np.argmax(sizes >= 0.9 * sizes.max())]))
