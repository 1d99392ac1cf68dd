"""How different vectors are: pure functions on features, most of them on their directions alone.

Scaling the features does not change their directions. Turning them does not change their cosines. A vector of zeros has
no direction; all such vectors count as pointing along one extra axis.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nayer.errors import DivergedError
from nayer.types import Doubles

NEGLIGIBLE = 1e-12  # an eigenvalue this small relative to the largest is the rounding of float32 features


def unit_vectors(features: ArrayLike) -> Doubles:
    """Features (n, f) at length 1: (n, f), or (n, f + 1) where images without any feature need their own axis."""
    rows = np.asarray(features, dtype=np.float64)
    if not np.isfinite(rows).all():
        raise DivergedError("The teacher's features are not finite, so images cannot be compared; lower generator_lr.")
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)  # (n, 1) first, for squares over- and underflow
    empty = largest == 0
    rows = rows / np.where(empty, 1.0, largest)
    rows /= np.where(empty, 1.0, np.linalg.norm(rows, axis=1, keepdims=True))
    return np.concatenate([rows, empty], axis=1) if empty.any() else rows


def vendi_score(unit: Doubles) -> Doubles:
    """The exponential of the von-Neumann entropy of K/n (Friedman & Dieng, 2023), K the cosines: (…, n, f) -> (…).

    From 1 (all the same) to n (all orthogonal). The eigenvalues come from the smaller of the two Gram matrices.
    """
    score: Doubles = np.clip(np.exp(entropy(_spectrum(unit))), 1.0, unit.shape[-2])
    return score


def mean_cosine_distance(unit: Doubles) -> Doubles:
    """1 − cosine, averaged over the pairs of different images, never of one with itself: (…, n ≥ 2, f) -> (…).

    Exact from the sum of the unit vectors: the n² cosines add up to its squared length, n of them being 1.
    """
    n = unit.shape[-2]
    total = (unit.sum(axis=-2) ** 2).sum(axis=-1)
    distance: Doubles = np.clip((n * n - total) / (n * (n - 1)), 0.0, 2.0)
    return distance


def nearest_distances(unit: Doubles) -> Doubles:
    """Each image's cosine distance to the nearest of the others: (…, n ≥ 2, f) -> (…, n)."""
    cosines = unit @ unit.swapaxes(-1, -2)  # (…, n, n)
    itself = np.arange(unit.shape[-2])
    cosines[..., itself, itself] = -np.inf
    distances: Doubles = np.clip(1 - cosines.max(axis=-1), 0.0, 2.0)
    return distances


def effective_rank(features: ArrayLike) -> float:
    """The exponential of the entropy of the normalized singular values (Roy & Vetterli, 2007) of features (n, f).

    The features are not centered and not scaled to length 1. The result is 0 if all features are 0.
    """
    rows = np.asarray(features, dtype=np.float64)
    largest = np.abs(rows).max(initial=0.0)
    if largest == 0:
        return 0.0
    return float(np.exp(entropy(np.sqrt(_spectrum(rows / largest)))))


def entropy(weights: ArrayLike) -> Doubles:
    """The Shannon entropy in nats of weights ≥ 0 (…, m), scaled to the sum 1; 0 if all are 0: (…)."""
    values = np.asarray(weights, dtype=np.float64)
    total = values.sum(axis=-1, keepdims=True)
    shares = values / np.where(total > 0, total, 1.0)
    return np.asarray(0.0 - (shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=-1))


def _spectrum(rows: Doubles) -> Doubles:
    """The squared singular values of rows (…, n, f), without rounding: (…, min(n, f))."""
    turned = rows.swapaxes(-1, -2)
    values = np.linalg.eigvalsh(rows @ turned if rows.shape[-2] <= rows.shape[-1] else turned @ rows)
    return np.where(values > NEGLIGIBLE * values[..., -1:], values, 0.0)
