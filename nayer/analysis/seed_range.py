"""One measure of several seeds: its mean curve, and the lowest and the highest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nayer.types import Doubles


def over_seeds(curves: Sequence[tuple[Doubles, Doubles]]) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """The mean of curves, and the lowest and the highest of them: x, mean, low, high, each (m,).

    `curves`: (x, value) of each seed, both (n,), x ascending. They are compared where all of them have values: at each
    x of any of them, between two points by linear interpolation.
    """
    curves = [(x, y) for x, y in curves if len(x)]
    if not curves:
        return (np.empty(0),) * 4
    first, last = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    every = np.unique(np.concatenate([x for x, _ in curves]))
    shared = every[(every >= first) & (every <= last)]
    values = np.array([np.interp(shared, x, y) for x, y in curves])  # (seeds, m)
    return shared, values.mean(axis=0), values.min(axis=0), values.max(axis=0)
