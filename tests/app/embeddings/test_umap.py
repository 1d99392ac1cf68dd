"""The UMAP map: says what it waits for, then shows the points of the view it was asked about."""

from __future__ import annotations

import threading

import numpy as np

from app.embeddings.umap import UmapMaps
from app.fairness.executors import Executors
from app.runs.manager import RunManager
from app.runs.plan import Plan
from tests.support.scripted import CLASSES, SHORT, Scripted, script
from tests.support.serving import wait_until
from tests.support.umap_stand_in import quick_umap


def test_it_warms_first_and_then_shows_anchors_outputs_and_samples() -> None:
    loaded = threading.Event()

    registry = RunManager(lambda plan: Scripted(lambda: script(plan.configs[0])))
    maps = UmapMaps(registry, Executors().umap, quick_umap(loaded.wait))
    try:
        run = registry.start(Plan.alone(SHORT), registry.visitor(""))
        wait_until(lambda: run.ended)
        first = maps.look(run.id)
        assert first["state"] == "warming"
        assert "half a minute" in first["sentence"]
        loaded.set()
        wait_until(lambda: maps.look(run.id)["state"] == "ready")
        shown, view = maps.look(run.id), run.refresh()
        assert view.atlas is not None
        assert view.samples is not None
        np.testing.assert_allclose([d[:2] for d in shown["anchors"]], view.atlas.table[:, :2], atol=1e-3)
        assert [d[2] for d in shown["outputs"]] == [0, 1, 2, 3] * 2
        np.testing.assert_allclose([d[:2] for d in shown["samples"]], view.samples.points[:, :2], atol=1e-3)
        assert [d[2] for d in shown["anchors"]] == list(range(len(CLASSES)))
    finally:
        loaded.set()
        registry.close()
