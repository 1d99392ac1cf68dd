"""The UMAP map, on request: computed in a turn. Until it is ready, a sentence describes the state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.content import messages
from app.embeddings.umap_process import Mapper
from app.fairness.fair_cache import FairCache, MakeOnce
from app.fairness.fair_executor import Busy, FairExecutor
from app.middleware.client_address import address
from app.run_state.embedding_map import dots
from app.run_state.model import View
from app.runs.manager import RunManager
from nayer.analysis.umap_worker import UmapLayout
from nayer.errors import NayerError

_KEPT = 32  # runs whose last map is kept


@dataclass(frozen=True, slots=True)
class _Map:
    answer: dict[str, Any]
    shape: tuple[int, int]  # the size of the shown part of the view


class UmapMaps:
    """One map a run, for all its viewers."""

    def __init__(self, registry: RunManager, turns: FairExecutor, worker: Mapper) -> None:
        """`turns`: of one worker."""
        self._registry = registry
        self._worker = worker
        self._latest: FairCache[str, _Map] = FairCache(_KEPT)
        self._making: MakeOnce[str, _Map] = MakeOnce(turns, FairCache(0))  # a run's map is made again and again

    def look(self, run_id: str) -> dict[str, Any]:
        """{state, sentence} and, when ready, anchors, outputs and samples as [x, y, class]. Never waits."""
        view = self._registry.look(run_id).refresh()
        latest = self._latest.get(run_id)
        try:
            if view.atlas is not None and (latest is None or latest.shape != _shape(view)):
                latest = self._making.look(run_id, lambda: self._made(run_id, view)) or latest
        except Busy as error:
            return {"state": "warming", "sentence": str(error)} if latest is None else latest.answer
        except NayerError as error:
            return {"state": "failed", "sentence": str(error)}
        if latest is not None:
            return latest.answer
        return {"state": "warming", "sentence": self._worker.message or messages.FITTING_UMAP}

    def _made(self, run_id: str, view: View) -> _Map:
        assert view.atlas is not None  # the map is only requested when an atlas exists
        layout = self._worker.layout(view.atlas.table, _points(view))
        made = _Map(_layout_json(layout, view), _shape(view))
        self._latest.put(run_id, made, address())
        return made


def _shape(view: View) -> tuple[int, int]:
    return (view.outputs.seq if view.outputs else -1, view.samples.seq if view.samples else -1)


def _points(view: View) -> np.ndarray[Any, np.dtype[np.float32]]:
    assert view.atlas is not None
    clouds = [cloud.points for cloud in (view.outputs, view.samples) if cloud is not None]
    return np.concatenate([np.empty((0, view.atlas.table.shape[1]), np.float32), *clouds])


def _layout_json(layout: UmapLayout, view: View) -> dict[str, Any]:
    outputs, samples = ([d[2] for d in cloud.dots] if cloud else [] for cloud in (view.outputs, view.samples))
    split = len(outputs)
    return {
        "state": "ready",
        "sentence": "",
        "anchors": dots(layout.anchors, np.arange(len(layout.anchors))),
        "outputs": dots(layout.points[:split], outputs),
        "samples": dots(layout.points[split:], samples),
    }
