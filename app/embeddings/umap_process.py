"""UMAP in a separate process: it loads 0.5 GB of compiled code in half a minute and keeps Python busy for seconds."""

from __future__ import annotations

from typing import Protocol

from app.content import messages
from app.support.worker_process import WorkerProcess
from nayer.analysis.umap_worker import Singles, UmapLayout, layout


class Mapper(Protocol):
    """An object that computes the layout of a table."""

    @property
    def message(self) -> str:
        """The reason for its wait, in one sentence; empty if it is ready."""

    def layout(self, anchors: Singles, points: Singles) -> UmapLayout:
        """As `nayer.analysis.umap_worker.UmapWorker.layout`."""


class UmapProcess:
    """A Mapper that asks the one worker of `process`."""

    def __init__(self, process: WorkerProcess) -> None:
        self._process = process
        self._ready: int | None = None  # the process that has answered

    @property
    def message(self) -> str:
        number = self._process.number
        return "" if number is not None and number == self._ready else messages.LOADING_UMAP

    def layout(self, anchors: Singles, points: Singles) -> UmapLayout:
        made = self._process.call(layout, anchors, points)
        self._ready = self._process.number
        return made
