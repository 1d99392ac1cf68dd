"""Seconds of work: time counts while the algorithm runs, not while whoever reads its events makes it wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType


class Stopwatch:
    """Runs inside its `with` blocks; `now` is any monotonic clock in seconds."""

    def __init__(self, elapsed: float = 0.0, now: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = self._before = elapsed  # `_before` the latest block
        self._now = now
        self._since: float | None = None

    def __enter__(self) -> Stopwatch:
        self._since = self._now()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._before, self._elapsed = self._elapsed, self.seconds()
        self._since = None

    def forget(self) -> None:
        """Takes the latest block back, as if it had taken no time; between blocks only."""
        self._elapsed = self._before

    def seconds(self) -> float:
        """The time spent inside the blocks so far."""
        running = 0.0 if self._since is None else self._now() - self._since
        return self._elapsed + running
