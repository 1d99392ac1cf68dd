"""UMAP as a second map, besides the fixed PCA map: loaded at the first request, and one fit at a time.

Loading umap-learn and compiling its first fit take half a minute, and two threads that fit at once can abort the
process (numba's `workqueue` layer; numba's choice of layer is left alone). So one lock covers all of it. The
anchors of a table are fitted once. `transform` places the moving points, so that the anchors do not move.

Ten anchors alone are too few to fit: each is a neighbor of each other one, and `transform` puts only half of the
noisy-layer outputs nearest to their own class. With six slightly spread copies of each it puts all of them there, and
a neighborhood of 15 still includes the next classes, not only an anchor's own copies.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from cachetools import LRUCache
from numpy.typing import ArrayLike, NDArray

from nayer.analysis.projection import pca_basis
from nayer.errors import ConfigError, NayerError

Singles = NDArray[np.float32]

SEED = 0
MIN_CLASSES = 4  # up to three points are in one plane already, and UMAP raises TypeError or ValueError
NEIGHBORS = 15  # UMAP's own default
COPIES = 6  # of each anchor in the fit, itself included
SPREAD = 0.3  # of the copies, relative to the median distance from an anchor to the nearest other
MAX_POINTS = 2000  # in one request; 100 take 0.14 s
KEPT_LAYOUTS = 8  # tables whose anchors stay fitted

_one_fit = threading.Lock()  # holds across workers too

State = Literal["cold", "warming", "ready", "failed"]


class Reducer(Protocol):
    """The used part of `umap.UMAP`; arrays are float32, (n, d) in and (n, 2) out."""

    def fit_transform(self, anchors: Singles) -> Singles:
        """Rows (n, d) → places (n, 2), with the reducer fitted to them."""

    def transform(self, points: Singles) -> Singles:
        """Rows (n, d) → places (n, 2) among those that were fitted."""


MakeReducer = Callable[[Singles], Reducer]  # from the first layout (n, 2) of the points to fit


@dataclass(frozen=True)
class UmapLayout:
    """An answer; the same anchors always get the same places."""

    anchors: Singles  # (k, 2)
    points: Singles  # (n, 2)


def load_umap() -> MakeReducer:
    """Imports umap-learn and compiles a first fit and transform: 20 to 60 s."""
    from umap import UMAP

    def make(layout: Singles) -> Reducer:
        # A seed allows one job only; naming it avoids UMAP's warning.
        reducer: Reducer = UMAP(n_neighbors=NEIGHBORS, init=layout, random_state=SEED, transform_seed=SEED, n_jobs=1)
        return reducer

    sample = np.random.default_rng(SEED).standard_normal((MIN_CLASSES * COPIES, 4), dtype=np.float32)
    reducer = make(sample[:, :2])
    reducer.fit_transform(sample)
    reducer.transform(sample[:5] + 1)
    return make


class UmapWorker:
    """Fits and transforms in its caller's thread, one caller after the other."""

    def __init__(self, load: Callable[[], MakeReducer] = load_umap) -> None:
        self._load = load
        self._make: MakeReducer | None = None
        self._fitted: LRUCache[tuple[tuple[int, ...], bytes], tuple[Reducer, Singles]] = LRUCache(KEPT_LAYOUTS)
        self._state: State = "cold"
        self._message = "UMAP is not loaded yet; the first request takes about half a minute."

    @property
    def state(self) -> State:
        """cold before the first request, warming while umap-learn loads and compiles, then ready or failed forever."""
        return self._state

    @property
    def message(self) -> str:
        """The state in one sentence for a person; empty when it is ready."""
        return self._message

    def layout(self, anchors: ArrayLike, points: ArrayLike) -> UmapLayout:
        """Places for `anchors` (k ≥ 4, d) and for `points` (n, d) among them; loads UMAP if it is cold.

        Before it waits for other threads, it raises ConfigError as `checked` does. It raises NayerError for
        all other failures.
        """
        fixed, moving = checked(anchors, points)
        with _one_fit:
            if self._state == "cold":
                self._warm()
            if self._make is None:
                raise NayerError(self._message)
            try:
                return self._layout(self._make, fixed, moving)
            except Exception as error:
                raise NayerError(
                    f"UMAP failed on this table ({type(error).__name__}: {error}); use PCA instead."
                ) from error

    def _enter(self, state: State, message: str) -> None:
        self._message, self._state = message, state

    def _warm(self) -> None:
        self._enter("warming", "UMAP is loading, which takes about half a minute; until then the page shows PCA.")
        try:
            self._make = self._load()
            self._enter("ready", "")
        except ImportError as error:
            self._enter("failed", f"UMAP needs the package umap-learn ({error}); the page shows PCA instead.")
        except Exception as error:  # numba fails in its own ways on machines it does not know
            self._enter(
                "failed", (f"UMAP cannot run here ({type(error).__name__}: {error}); the page shows PCA instead.")
            )

    def _layout(self, make: MakeReducer, anchors: Singles, points: Singles) -> UmapLayout:
        key = (anchors.shape, anchors.tobytes())
        if key not in self._fitted:
            rows = spread_copies(anchors)  # (k·copies, d)
            # From the PCA picture, so that people recognize it, and because spectral starts fail on tiny graphs.
            reducer = make(pca_basis(anchors).project(rows).astype(np.float32))
            self._fitted[key] = reducer, np.asarray(reducer.fit_transform(rows)[: len(anchors)], dtype=np.float32)
        reducer, placed = self._fitted[key]
        moved = np.asarray(reducer.transform(points), dtype=np.float32) if len(points) else np.empty((0, 2), np.float32)
        return UmapLayout(placed.copy(), moved)


_worker = UmapWorker()


def umap_worker() -> UmapWorker:
    """The one worker of this process; it loads nothing before the first request."""
    return _worker


def layout(anchors: Singles, points: Singles) -> UmapLayout:
    """A layout by this process's worker; another process calls this function by name."""
    return _worker.layout(anchors, points)


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


def checked(anchors: ArrayLike, points: ArrayLike) -> tuple[Singles, Singles]:
    """Both as arrays of float32. Raises ConfigError for tables UMAP cannot lay out."""
    fixed, moving = _matrix("anchors", anchors), _matrix("points", points)
    (classes, width), (count, points_width) = fixed.shape, moving.shape
    if classes < MIN_CLASSES:
        raise ConfigError(f"UMAP needs at least {MIN_CLASSES} classes; {classes} were given; use PCA instead.")
    if not np.ptp(fixed, axis=0).any():
        raise ConfigError(
            "UMAP needs anchors that differ between classes, and these are all the same; use another table."
        )
    if count and points_width != width:
        raise ConfigError(
            f"UMAP needs points and anchors of the same width; the points have {points_width} dimensions and the "
            f"anchors {width}."
        )
    if count > MAX_POINTS:
        raise ConfigError(f"UMAP takes at most {MAX_POINTS} points; {count} were given.")
    return fixed, moving


def _matrix(name: str, values: ArrayLike) -> Singles:
    matrix = np.asarray(values, dtype=np.float32, order="C")
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise ConfigError(
            f"UMAP needs {name} with two axes (rows, dimensions) of finite numbers; shape {matrix.shape} was given."
        )
    return matrix
