"""The map: label embeddings are anchors on a fixed PCA basis, and other points are projected onto it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nayer.analysis.projection import Basis, features_onto_anchors, onto_anchors, pca_basis

Singles = NDArray[np.float32]
Dots = tuple[tuple[float, float, int], ...]  # x, y, class

SKETCH = (10, 12)  # rows and columns of the table that the diagram shows


@dataclass(frozen=True, slots=True)
class Atlas:
    """The fixed frame of a run's map."""

    table: Singles  # (k, d) the label embeddings
    basis: Basis

    @classmethod
    def of(cls, table: Singles) -> Atlas:
        """The map of a table (k, d)."""
        return cls(table=table, basis=pca_basis(table))

    def anchors(self) -> Dots:
        """One dot for each class."""
        return self.place(self.table, np.arange(len(self.table)))

    def sketch(self) -> list[list[float]]:
        """A corner of the table, to two decimals of its largest number."""
        rows, columns = SKETCH
        corner = self.table[:rows, :columns]
        return (corner / max(float(np.abs(corner).max()), 1e-9)).round(2).tolist()  # type: ignore[no-any-return]

    def place_outputs(self, outputs: ArrayLike) -> Singles:
        """Noisy-layer outputs (m, k, width) in the table's space, (m·k, d), sets one after the other."""
        return onto_anchors(outputs, self.table).reshape(-1, self.table.shape[1]).astype(np.float32)

    def place_features(self, features: ArrayLike, labels: ArrayLike) -> Singles:
        """Teacher features (n, f) of samples with labels (n,) in the table's space, (n, d)."""
        return features_onto_anchors(features, labels, self.table).astype(np.float32)

    def at_home(self, points: ArrayLike, labels: ArrayLike) -> float:
        """The share of points (n, d), n ≥ 1, of the table's space that lie nearest to the row of their label (n,)."""
        rows = np.asarray(points, dtype=np.float64)
        table = self.table.astype(np.float64)
        distances = (table**2).sum(axis=1) - 2.0 * rows @ table.T  # (n, k), less each point's own squared length
        return float((distances.argmin(axis=1) == np.asarray(labels)).mean())

    def place(self, points: ArrayLike, labels: ArrayLike) -> Dots:
        """Points (n, d) of the table's space, with labels (n,), on the map."""
        return dots(self.basis.project(points), labels)


def dots(flat: ArrayLike, labels: ArrayLike) -> Dots:
    """Points (n, 2) as plain numbers, to three decimals: a thousandth of an anchor's distance is below a pixel."""
    pairs = zip(np.asarray(flat).tolist(), np.asarray(labels).tolist(), strict=True)
    return tuple((round(x, 3), round(y, 3), label) for (x, y), label in pairs)
