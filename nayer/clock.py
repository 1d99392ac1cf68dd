"""Seconds of work: time counts while the algorithm runs, not while whoever reads its events makes it wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType


class Stopped(Exception):
    """The work was told to stop, and it does so before its next step."""


class Stopwatch:
    """Runs inside its `with` blocks; `now` is any monotonic clock in seconds."""

    def __init__(
        self,
        elapsed: float = 0.0,
        now: Callable[[], float] = time.monotonic,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """`stopped`: whether somebody told the work to stop; it is asked after every step."""
        self._elapsed = self._before = elapsed  # `_before` the latest block
        self._now = now
        self._stopped = stopped
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

    def reached(self, limit: float) -> bool:
        """Whether `limit` seconds are spent; a limit of 0 never is. Raises Stopped where the work was told to stop.

        Every loop of steps asks this after each step, so that neither a limit nor a stop waits for a round to end.
        """
        if self._stopped():
            raise Stopped
        return 0.0 < limit <= self.seconds()
