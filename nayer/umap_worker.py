"""UMAP beside the fixed PCA map: one background thread for the whole process, asleep until somebody asks.

Loading umap-learn and compiling its first fit take half a minute, and two threads that fit at once can abort the
process (numba's `workqueue` layer; numba's choice of layer is left alone). So one daemon thread does all of it, the
anchors of a table are fitted once, and what moves is placed by `transform`, so that the anchors stay where they are.

Ten anchors alone are too few to fit: every one neighbours every other, and `transform` puts only half of the
noisy-layer outputs nearest to their own class. With six slightly spread copies of each it puts all of them there, and
a neighbourhood of 15 still reaches past the own copies to the classes next to it.
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nayer.errors import ConfigError, NayerError
from nayer.projections import pca_basis

Singles = NDArray[np.float32]

SEED = 0
MIN_CLASSES = 4  # up to three points lie in a plane as they are, and UMAP raises TypeError or ValueError
NEIGHBOURS = 15  # UMAP's own default
COPIES = 6  # of each anchor in the fit, itself included
SPREAD = 0.3  # of the copies, beside the median distance from an anchor to the nearest other
MAX_POINTS = 2000  # in one request; 100 take 0.14 s
MAX_WAITING = 64  # requests
KEPT_LAYOUTS = 8  # tables whose anchors stay fitted

_one_fit = threading.Lock()  # holds across workers too

State = Literal["cold", "warming", "ready", "failed"]


class Reducer(Protocol):
    """What is used of `umap.UMAP`; arrays are float32, (n, d) in and (n, 2) out."""

    def fit_transform(self, anchors: Singles) -> Singles: ...

    def transform(self, points: Singles) -> Singles: ...


MakeReducer = Callable[[Singles], Reducer]  # from the first layout (n, 2) of what will be fitted


@dataclass(frozen=True)
class UmapLayout:
    """An answer; the same anchors always get the same places."""

    anchors: Singles  # (k, 2)
    points: Singles  # (n, 2)


@dataclass(frozen=True)
class _Request:
    anchors: Singles  # (k, d)
    points: Singles  # (n, d)
    answer: Future[UmapLayout]


def load_umap() -> MakeReducer:
    """Imports umap-learn and compiles a first fit and transform: 20 to 60 s."""
    from umap import UMAP

    def make(layout: Singles) -> Reducer:
        # A seed means one job; saying so keeps UMAP from warning of it.
        reducer: Reducer = UMAP(n_neighbors=NEIGHBOURS, init=layout, random_state=SEED, transform_seed=SEED, n_jobs=1)
        return reducer

    sample = np.random.default_rng(SEED).standard_normal((MIN_CLASSES * COPIES, 4), dtype=np.float32)
    reducer = make(sample[:, :2])
    reducer.fit_transform(sample)
    reducer.transform(sample[:5] + 1)
    return make


class UmapWorker:
    """One thread that fits and transforms, in the order of asking."""

    def __init__(self, load: Callable[[], MakeReducer] = load_umap) -> None:
        self._load = load
        self._make: MakeReducer | None = None
        self._requests: queue.Queue[_Request] = queue.Queue(MAX_WAITING)
        self._fitted: OrderedDict[tuple[tuple[int, ...], bytes], tuple[Reducer, Singles]] = OrderedDict()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        self._state: State = "cold"
        self._message = "UMAP is not loaded yet; the first request takes about half a minute."

    @property
    def state(self) -> State:
        """cold until asked, warming while umap-learn loads and compiles, then ready or failed for good."""
        return self._state

    @property
    def message(self) -> str:
        """The state in one sentence for a person."""
        return self._message

    def warm(self) -> None:
        """Loads umap-learn in the background; returns at once, and a second call does nothing."""
        with self._start:
            if self._thread is None:
                self._enter(
                    "warming", "UMAP is being loaded and compiled, about half a minute; PCA is shown meanwhile."
                )
                self._thread = threading.Thread(target=self._work, name="umap", daemon=True)
                self._thread.start()

    def project(self, anchors: ArrayLike, points: ArrayLike) -> Future[UmapLayout]:
        """Places for `anchors` (k ≥ 4, d) and for `points` (n, d) among them; warms the worker if it is cold.

        Raises ConfigError for tables UMAP cannot lay out, NayerError where too much is waiting; failures come
        through the future as NayerError.
        """
        request = _Request(_matrix("anchors", anchors), _matrix("points", points), Future())
        _check(request)
        self.warm()
        try:
            self._requests.put_nowait(request)
        except queue.Full:
            raise NayerError(
                f"UMAP has {MAX_WAITING} requests waiting; ask again in a while, or look at PCA."
            ) from None
        return request.answer

    def _enter(self, state: State, message: str) -> None:
        self._message, self._state = message, state

    def _work(self) -> None:
        try:
            with _one_fit:
                self._make = self._load()
            self._enter("ready", "UMAP is ready.")
        except ImportError as error:
            self._enter("failed", f"UMAP needs the package umap-learn ({error}); PCA is shown instead.")
        except Exception as error:  # numba fails in its own ways on machines it does not know
            self._enter("failed", f"UMAP cannot run here ({type(error).__name__}: {error}); PCA is shown instead.")
        while True:
            request = self._requests.get()
            if request.answer.set_running_or_notify_cancel():
                self._answer(request)

    def _answer(self, request: _Request) -> None:
        if self._make is None:
            request.answer.set_exception(NayerError(self._message))
            return
        try:
            with _one_fit:
                request.answer.set_result(self._layout(self._make, request))
        except Exception as error:  # one bad table shall not end the thread
            sentence = f"UMAP failed on this table ({type(error).__name__}: {error}); look at PCA instead."
            request.answer.set_exception(NayerError(sentence))

    def _layout(self, make: MakeReducer, request: _Request) -> UmapLayout:
        anchors = request.anchors
        key = (anchors.shape, anchors.tobytes())
        if key not in self._fitted:
            rows = spread_copies(anchors)  # (k·copies, d)
            # From the PCA picture, so that people recognise it, and because spectral starts fail on tiny graphs.
            reducer = make(pca_basis(anchors).project(rows).astype(np.float32))
            self._fitted[key] = reducer, np.asarray(reducer.fit_transform(rows)[: len(anchors)], dtype=np.float32)
        self._fitted.move_to_end(key)
        while len(self._fitted) > KEPT_LAYOUTS:
            self._fitted.popitem(last=False)
        reducer, placed = self._fitted[key]
        points = request.points
        moved = np.asarray(reducer.transform(points), dtype=np.float32) if len(points) else np.empty((0, 2), np.float32)
        return UmapLayout(placed.copy(), moved)


_worker = UmapWorker()


def umap_worker() -> UmapWorker:
    """The process's one worker; nothing runs before it is asked."""
    return _worker


def spread_copies(anchors: Singles) -> Singles:
    """(k, d) -> (k·copies, d): the anchors, then copies of all of them with Gaussian noise, always the same."""
    squares = (anchors.astype(np.float64) ** 2).sum(axis=1)  # (k,)
    gaps = squares[:, None] + squares - 2.0 * anchors.astype(np.float64) @ anchors.T.astype(np.float64)  # (k, k)
    np.fill_diagonal(gaps, np.inf)
    distance = float(np.median(np.sqrt(gaps.min(axis=1).clip(min=0.0))))
    k, d = anchors.shape
    noise = np.random.default_rng(SEED).standard_normal((COPIES - 1, k, d), dtype=np.float32)
    copies = anchors + noise * np.float32(SPREAD * distance / np.sqrt(d))  # (copies - 1, k, d)
    return np.concatenate([anchors, copies.reshape(-1, d)])


def _matrix(name: str, values: ArrayLike) -> Singles:
    matrix = np.array(values, dtype=np.float32, order="C")  # a copy: the caller may go on writing
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise ConfigError(
            f"UMAP's {name} have shape {matrix.shape}; use two axes (rows, dimensions) of finite numbers."
        )
    return matrix


def _check(request: _Request) -> None:
    (classes, width), (points, points_width) = request.anchors.shape, request.points.shape
    if classes < MIN_CLASSES:
        raise ConfigError(f"UMAP needs at least {MIN_CLASSES} classes and here are {classes}; look at PCA instead.")
    if not np.ptp(request.anchors, axis=0).any():
        raise ConfigError("UMAP's anchors are the same for all classes; use a table that tells them apart.")
    if points and points_width != width:
        raise ConfigError(f"UMAP's points have {points_width} dimensions and its anchors {width}; use the same.")
    if points > MAX_POINTS:
        raise ConfigError(f"UMAP is asked for {points} points; use at most {MAX_POINTS}.")
