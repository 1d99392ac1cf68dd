"""A map in place of UMAP, which takes half a minute to load."""

from __future__ import annotations

from collections.abc import Callable

from nayer.analysis.umap_worker import MakeReducer, Reducer, Singles, UmapWorker


class FirstTwo:
    """Stands for UMAP: the first two numbers of a point."""

    def fit_transform(self, anchors: Singles) -> Singles:
        return anchors[:, :2]

    def transform(self, points: Singles) -> Singles:
        return points[:, :2]


def quick_umap(wait: Callable[[], object] = lambda: None) -> UmapWorker:
    """It is loaded once `wait` returns."""

    def load() -> MakeReducer:
        wait()

        def make(layout: Singles) -> Reducer:
            return FirstTwo()

        return make

    return UmapWorker(load)
