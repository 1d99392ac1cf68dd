"""The map by UMAP, on request: asks the core's one worker and says what it is doing until there is an answer."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.mapping import dots
from app.sessions import Registry
from app.view import View
from nayer.errors import NayerError
from nayer.umap_worker import UmapLayout, UmapWorker, umap_worker

_KEPT = 32  # runs whose last map is kept


@dataclass(slots=True)
class _Map:
    """A run's newest answer and the request under way."""

    under_way: Future[UmapLayout] | None = None
    asked: View | None = None
    answer: dict[str, Any] | None = None
    answered: tuple[int, int] = (0, 0)  # what of the view the answer shows


class UmapMaps:
    """One map a run, for all its viewers."""

    def __init__(self, registry: Registry, worker: UmapWorker | None = None) -> None:
        self._registry = registry
        self._worker = worker or umap_worker()
        self._maps: OrderedDict[str, _Map] = OrderedDict()
        self._lock = threading.Lock()

    def look(self, run_id: str) -> dict[str, Any]:
        """{state, sentence} and, when ready, anchors, outputs and samples as [x, y, class]. Never waits."""
        view = self._registry.look(run_id).refresh()
        with self._lock:
            kept = self._maps.setdefault(run_id, _Map())
            self._maps.move_to_end(run_id)
            while len(self._maps) > _KEPT:
                self._maps.popitem(last=False)
            try:
                return self._advance(kept, view)
            except NayerError as error:
                return {"state": "failed", "sentence": str(error)}

    def _advance(self, kept: _Map, view: View) -> dict[str, Any]:
        if kept.under_way is not None and kept.under_way.done():
            finished, kept.under_way = kept.under_way, None
            assert kept.asked is not None  # set with every request
            kept.answer = _shown(finished.result(), kept.asked)
            kept.answered = _shape(kept.asked)
        if kept.under_way is None and view.atlas is not None and kept.answered != _shape(view):
            kept.asked = view
            kept.under_way = self._worker.project(view.atlas.table, _points(view))
        if kept.answer is not None:
            return kept.answer
        sentence = self._worker.message if self._worker.state != "ready" else "UMAP is fitting the anchors…"
        return {"state": "warming", "sentence": sentence}


def _shape(view: View) -> tuple[int, int]:
    return (view.outputs.seq if view.outputs else -1, view.samples.seq if view.samples else -1)


def _points(view: View) -> np.ndarray[Any, np.dtype[np.float32]]:
    assert view.atlas is not None
    clouds = [cloud.points for cloud in (view.outputs, view.samples) if cloud is not None]
    return np.concatenate([np.empty((0, view.atlas.table.shape[1]), np.float32), *clouds])


def _shown(layout: UmapLayout, view: View) -> dict[str, Any]:
    outputs, samples = ([d[2] for d in cloud.dots] if cloud else [] for cloud in (view.outputs, view.samples))
    split = len(outputs)
    return {
        "state": "ready",
        "sentence": "",
        "anchors": dots(layout.anchors, np.arange(len(layout.anchors))),
        "outputs": dots(layout.points[:split], outputs),
        "samples": dots(layout.points[split:], samples),
    }
