"""What is around UMAP, with a reducer that only cuts; UMAP itself is under slow/."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from nayer.analysis.umap_worker import COPIES, MAX_POINTS, SPREAD, Singles, UmapWorker, spread_copies
from nayer.errors import ConfigError, NayerError

WAIT = 30  # s; only a broken worker takes that long


class Cut:
    """Keeps the first two numbers of a row; counts the fits that run at the same time."""

    running = 0
    most = 0
    fits = 0
    lock = threading.Lock()

    def __init__(self, layout: Singles) -> None:
        self.layout = layout

    def _cut(self, rows: Singles) -> Singles:
        with Cut.lock:
            Cut.running += 1
            Cut.most = max(Cut.most, Cut.running)
        threading.Event().wait(0.002)
        with Cut.lock:
            Cut.running -= 1
        if not rows.max() < 1e6:
            raise ValueError("too far out")
        return rows[:, :2]

    def fit_transform(self, anchors: Singles) -> Singles:
        assert self.layout.shape == (len(anchors), 2)
        Cut.fits += 1
        return self._cut(anchors)

    def transform(self, points: Singles) -> Singles:
        return self._cut(points)


def anchors_of(seed: int, k: int = 5) -> Singles:
    return np.random.default_rng(seed).standard_normal((k, 6)).astype(np.float32)


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    program = (
        "import sys, threading; from nayer.analysis.umap_worker import umap_worker; worker = umap_worker()\n"
        "assert worker is umap_worker() and worker.state == 'cold' and worker.message.endswith('.')\n"
        "assert threading.active_count() == 1\n"
        "print(sorted({'umap', 'numba', 'sklearn', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_goes_from_cold_through_warming_to_ready_and_loads_once() -> None:
    begun, gate, loads = threading.Event(), threading.Event(), []

    def load() -> type[Cut]:
        loads.append(1)
        begun.set()
        assert gate.wait(WAIT)
        return Cut

    worker = UmapWorker(load)
    assert worker.state == "cold"
    with ThreadPoolExecutor(2) as threads:
        answers = [threads.submit(worker.layout, anchors_of(0), anchors_of(1)) for _ in range(2)]
        assert begun.wait(WAIT)
        assert worker.state == "warming"
        gate.set()
        layout, _ = [answer.result(WAIT) for answer in answers]
    assert worker.state == "ready"
    assert loads == [1]
    np.testing.assert_array_equal(layout.anchors, anchors_of(0)[:, :2])
    np.testing.assert_array_equal(layout.points, anchors_of(1)[:, :2])


def test_two_workers_never_fit_at_once_and_a_table_is_fitted_once() -> None:
    Cut.most, before = 0, Cut.fits
    workers = [UmapWorker(lambda: Cut) for _ in range(2)]
    with ThreadPoolExecutor(12) as threads:
        answers = [
            threads.submit(worker.layout, anchors_of(seed), anchors_of(9))
            for _ in range(3)
            for seed in (0, 1)
            for worker in workers
        ]
        for answer in answers:
            answer.result(WAIT)
    assert Cut.most == 1
    assert Cut.fits - before == 4  # two tables in each of two workers, three times asked


def test_no_points_are_no_trouble() -> None:
    layout = UmapWorker(lambda: Cut).layout(anchors_of(0), np.empty((0, 6)))
    assert layout.points.shape == (0, 2)


@pytest.mark.parametrize(
    ("anchors", "points", "complaint"),
    [
        (anchors_of(0, 3), anchors_of(1), "UMAP needs at least 4 classes; 3 were given"),
        (anchors_of(0)[0], anchors_of(1), r"UMAP needs anchors with two axes .* shape \(6,\) was given"),
        (anchors_of(0), anchors_of(1) * np.nan, r"UMAP needs points with two axes .* finite numbers; shape \(5, 6\)"),
        (anchors_of(0), anchors_of(1)[:, :5], "the points have 5 dimensions and the anchors 6"),
        (np.ones((5, 6)), anchors_of(1), "UMAP needs anchors that differ between classes"),
        (
            anchors_of(0),
            np.zeros((MAX_POINTS + 1, 6)),
            f"UMAP takes at most {MAX_POINTS} points; {MAX_POINTS + 1} were given",
        ),
    ],
)
def test_what_umap_cannot_lay_out_is_refused_at_once(anchors: Singles, points: Singles, complaint: str) -> None:
    worker = UmapWorker(lambda: Cut)
    with pytest.raises(ConfigError, match=complaint):
        worker.layout(anchors, points)
    assert worker.state == "cold"


def test_a_failed_fit_spoils_only_its_own_answer() -> None:
    worker = UmapWorker(lambda: Cut)
    with pytest.raises(NayerError, match=r"UMAP failed on this table .*too far out.*use PCA"):
        worker.layout(anchors_of(0), anchors_of(1) + 1e7)
    np.testing.assert_array_equal(worker.layout(anchors_of(0), anchors_of(1)).points, anchors_of(1)[:, :2])
    assert worker.state == "ready"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ImportError("No module named 'umap'"), "UMAP needs the package umap-learn"),
        (RuntimeError("no such target"), "UMAP cannot run here"),
    ],
)
def test_where_umap_does_not_load_everyone_is_told_and_nobody_waits(error: Exception, sentence: str) -> None:
    loads = []

    def load() -> type[Cut]:
        loads.append(1)
        raise error

    worker = UmapWorker(load)
    for _ in range(2):
        with pytest.raises(NayerError, match=sentence):
            worker.layout(anchors_of(0), anchors_of(1))
    assert worker.state == "failed"
    assert len(loads) == 1
    assert sentence in worker.message


def test_copies_lie_round_their_anchors_and_nearer_than_the_next_one() -> None:
    anchors = np.random.default_rng(0).standard_normal((10, 384)).astype(np.float32)
    rows = spread_copies(anchors)
    assert rows.shape == (10 * COPIES, 384)
    np.testing.assert_array_equal(rows[:10], anchors)
    np.testing.assert_array_equal(rows, spread_copies(anchors))
    between = np.linalg.norm(anchors[:, None] - anchors[None], axis=2)
    nearest = np.median(np.where(between > 0, between, np.inf).min(axis=1))
    away = np.linalg.norm(rows.reshape(COPIES, 10, 384)[1:] - anchors, axis=2)
    # 384 Gaussian numbers have a length within 15 % of their mean: four standard deviations.
    np.testing.assert_allclose(away, SPREAD * nearest, rtol=0.15)
