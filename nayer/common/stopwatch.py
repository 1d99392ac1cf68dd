"""Measures the seconds of work without waits between events, and a process's seconds without its suspensions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType


class AwakeClock:
    """Counts the seconds in which this process ran. Use it for deadlines that a suspended process must not miss.

    A suspended process (SIGSTOP, a machine that sleeps) does not read the clock. A gap of more than `longest` seconds
    between two readings does not count. So the program must read the clock more often. Any thread may read it.
    """

    def __init__(self, longest: float, now: Callable[[], float] = time.monotonic) -> None:
        self._longest = longest
        self._now = now
        self._lock = threading.Lock()
        self._latest = now()
        self._awake = 0.0

    def __call__(self) -> float:
        """Seconds since the clock was made, without the gaps."""
        with self._lock:
            now = self._now()
            gap, self._latest = now - self._latest, now
            if gap <= self._longest:
                self._awake += gap
            return self._awake


class Stopped(Exception):
    """The work must stop. It stops before its next step."""


class Stopwatch:
    """Runs inside its `with` blocks; `now` is any monotonic clock in seconds. Any thread may read it."""

    def __init__(
        self,
        elapsed: float = 0.0,
        now: Callable[[], float] = time.monotonic,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """`stopped`: whether the work must stop; it is called after every step."""
        self._spent: tuple[float, float | None] = elapsed, None  # before the present block, when that began
        self._before = elapsed  # before the latest block
        self._now = now
        self._stopped = stopped

    def __enter__(self) -> Stopwatch:
        self._spent = self._spent[0], self._now()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._before = self._spent[0]
        self._spent = self.seconds(), None

    def forget(self) -> None:
        """Takes the latest block back, as if it had taken no time; between blocks only."""
        self._spent = self._before, None

    def seconds(self) -> float:
        """The time spent inside the blocks so far."""
        before, since = self._spent
        return before if since is None else before + self._now() - since

    def reached(self, limit: float) -> bool:
        """Whether `limit` seconds are spent; a limit of 0 never is. Raises Stopped if the work must stop.

        Every loop of steps calls this after each step, so a limit or a stop does not wait for the end of a round.
        """
        if self._stopped():
            raise Stopped
        return 0.0 < limit <= self.seconds()
