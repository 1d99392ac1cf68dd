"""How alike the rows of a table are, before and after the BatchNorm in front of the noisy layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nayer.analysis.similarity import unit_vectors
from nayer.types import Doubles

EPSILON = 1e-5  # added to the variance: the BatchNorm's own value, see nayer/networks/generator.py
ROUNDING = 1e-9  # cosines that differ by less are equal

Pair = tuple[int, int]  # two rows, the lower one first


@dataclass(frozen=True)
class Geometry:
    """The cosines between the k ≥ 2 rows of one table."""

    cosines: Doubles  # (k, k), symmetric, 1 on the diagonal
    mean: float  # over the pairs of different rows
    lowest: float
    highest: float

    @classmethod
    def of(cls, table: ArrayLike) -> Geometry:
        """`table`: (k, d)."""
        unit = unit_vectors(table)
        cosines = np.clip(unit @ unit.T, -1.0, 1.0)
        np.fill_diagonal(cosines, 1.0)
        between = cosines[np.triu_indices(len(cosines), 1)]  # (k·(k − 1)/2,)
        return cls(cosines, float(between.mean()), float(between.min()), float(between.max()))

    def closest(self, count: int) -> list[Pair]:
        """The `count` pairs with the largest cosines, the largest first; equal ones in the rows' order."""
        first, second = np.triu_indices(len(self.cosines), 1)
        order = np.argsort(-self.cosines[first, second].round(9), kind="stable")[:count]
        return [(int(first[place]), int(second[place])) for place in order]

    def order(self) -> list[int]:
        """Sorts the rows so that similar ones are next to each other; keeps their order if all are equally similar.

        Average linkage (Sokal & Michener, 1958): each step joins the two groups with the largest mean cosine
        of their rows. It turns them so that their most similar ends touch.
        """
        if self.highest - self.lowest < ROUNDING:
            return list(range(len(self.cosines)))
        groups = [[row] for row in range(len(self.cosines))]
        between = self.cosines.copy()  # (k, k) mean cosines between groups; -inf where there is no group left
        np.fill_diagonal(between, -np.inf)
        for _ in range(len(groups) - 1):
            first, second = divmod(int(between.argmax()), len(between))
            kept, gone = sorted((first, second))
            sizes = len(groups[kept]), len(groups[gone])
            joined = (sizes[0] * between[kept] + sizes[1] * between[gone]) / sum(sizes)
            joined[[kept, gone]] = between[gone] = between[:, gone] = -np.inf
            between[kept] = between[:, kept] = joined
            groups[kept] = self._joined(groups[kept], groups[gone])
        return groups[0]

    def _joined(self, left: list[int], right: list[int]) -> list[int]:
        turned = [(one, other) for one in (left, left[::-1]) for other in (right, right[::-1])]
        one, other = max(turned, key=lambda pair: self.cosines[pair[0][-1], pair[1][0]])
        return one + other


def batch_normalized(table: ArrayLike) -> Doubles:
    """`table` (k, d) with every dimension at mean 0 and variance 1 over the k rows; a constant one becomes 0."""
    rows = np.asarray(table, dtype=np.float64)
    centered = rows - rows.mean(axis=0)
    normalized: Doubles = centered / np.sqrt((centered**2).mean(axis=0) + EPSILON)
    return normalized


def lowest_mean(k: int) -> float:
    """The smallest possible mean cosine between k ≥ 2 directions: the length of their sum is never negative."""
    return -1.0 / (k - 1)
