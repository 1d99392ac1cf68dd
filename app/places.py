"""The places where runs run, and who waits for one: a fixed number, given out fairly, kept from nobody who left."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from app.live_run import LiveRun
from app.queue import FairQueue
from app.waits import estimate, left, rounded

LEAVE_SECONDS = 3.0  # how long whoever left the queue is waited for: a page that is only reloaded is back by then
STUCK_SECONDS = 120.0  # at work on one event: nothing a run does takes so long, but for a machine that hangs
_TOOK = 20  # latest runs whose length says how long one takes, and whose wait how long one waits


class Places:
    """Every method may be called from any thread. `waiting` runs may wait at once."""

    def __init__(self, capacity: int, waiting: int, clock: Callable[[], float]) -> None:
        self.capacity = capacity
        self.stuck_seconds = STUCK_SECONDS
        self._clock = clock
        self._lock = threading.RLock()
        self._queue: FairQueue[LiveRun] = FairQueue(waiting)
        self._running: dict[LiveRun, float] = {}  # run -> when it got its place
        self._leaving: dict[LiveRun, float] = {}  # run that waits -> when its page said goodbye
        self._parked: dict[LiveRun, str] = {}  # left the queue; it may come back, at its end
        self._lanes: dict[LiveRun, str] = {}  # of those in the queue
        self._idle: dict[LiveRun, float] = {}  # run that stands still -> since when
        self._took: deque[float] = deque(maxlen=_TOOK)
        self._asked: dict[LiveRun, float] = {}  # run that waits -> when it was asked for
        self._waited: deque[float] = deque(maxlen=_TOOK)

    def wait(self, run: LiveRun, lane: str) -> None:
        """Puts `run` into the queue; QueueFull, and nothing changed, where there is no room."""
        with self._lock:
            self._queue.add(run, lane)
            self._lanes[run] = lane
            self._asked.setdefault(run, self._clock())

    def check(self, lane: str) -> None:
        """QueueFull where nobody else of that lane could wait."""
        with self._lock:
            self._queue.check(lane)

    def remove(self, run: LiveRun) -> None:
        """Lets `run` wait no longer; one that runs keeps its place until it ends."""
        with self._lock:
            self._queue.remove(run)
            for kept in (self._lanes, self._leaving, self._parked, self._asked):
                kept.pop(run, None)

    def leave(self, run: LiveRun) -> None:
        """Whoever waits with `run` closed the page; `back` undoes it."""
        with self._lock:
            if run in self._queue:
                self._leaving.setdefault(run, self._clock())

    def back(self, run: LiveRun) -> None:
        """Somebody looks at `run`: if it had left the queue it waits again. QueueFull where there is no room now."""
        with self._lock:
            self._leaving.pop(run, None)
            if run in self._parked:
                self.wait(run, self._parked[run])
                del self._parked[run]

    def sweep(self) -> None:
        """Takes those out of the queue who left it and are not back, and gives up runs that hang."""
        with self._lock:
            for run in self._running:
                if run.session.stuck_seconds > self.stuck_seconds:
                    run.session.give_up(
                        f"The run did not answer for {self.stuck_seconds:.0f} s and was given up; start it anew."
                    )
            now = self._clock()
            for run in [run for run, since in self._leaving.items() if now - since >= LEAVE_SECONDS]:
                lane = self._lanes[run]
                self.remove(run)
                self._parked[run] = lane

    def advance(self) -> None:
        """Frees the places of runs that ended and gives them to whose turn it is."""
        with self._lock:
            for run in [run for run in self._running if run.ended and not _lost(run)]:
                self._took.append(self._clock() - self._running.pop(run))
            while len(self._queue) and len(self._running) < self.capacity:
                run = self._queue.pop()
                self._lanes.pop(run, None)
                self._leaving.pop(run, None)
                self._running[run] = self._clock()
                self._waited.append(self._clock() - self._asked.pop(run, self._clock()))
                run.session.start(paused=run.begins_paused)
                run.waiting = False

    def close(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            for kept in (self._queue, self._lanes, self._leaving, self._parked, self._asked):
                kept.clear()

    def idlers(self, seconds: float) -> list[LiveRun]:
        """Runs that have been paused for longer at every look; only while somebody waits."""
        with self._lock:
            now = self._clock()
            self._idle = {run: self._idle.get(run, now) for run in self._running if run.state == "paused"}
            return [run for run, since in self._idle.items() if len(self._queue) and now - since > seconds]

    def ahead(self, run: LiveRun) -> int:
        """Runs that come first: those before it in the queue, and one more for the place that must fall free."""
        with self._lock:
            order = self._queue.order()
            return order.index(run) + 1 if run in order else 0

    def seconds(self, run: LiveRun) -> float | None:
        """How long `run` will wait, in round numbers; None where nothing tells."""
        with self._lock:
            lefts = [left(one) for one in self._running]
            return rounded(estimate(lefts, self._took, max(0, self.ahead(run) - 1)))

    def waits(self) -> dict[str, float | None]:
        """Seconds that one waits who comes now, None where nothing tells; the usual and the longest of the latest."""
        with self._lock:
            free = len(self._running) < self.capacity
            coming = (
                0.0 if free else rounded(estimate([left(one) for one in self._running], self._took, len(self._queue)))
            )
            latest = sorted(self._waited)
            return {
                "now": coming,
                "usual": round(latest[len(latest) // 2], 1) if latest else None,
                "longest": round(latest[-1], 1) if latest else None,
            }

    def counts(self) -> dict[str, int]:
        """How many run, wait, may run at once, and how many places are lost to threads that hang."""
        with self._lock:
            lost = sum(_lost(run) for run in self._running)
            return {
                "running": len(self._running) - lost,
                "waiting": len(self._queue),
                "capacity": self.capacity,
                "lost": lost,
            }


def _lost(run: LiveRun) -> bool:
    """Whether a run has ended for its viewers, but its thread hangs and nobody else can have its place."""
    return run.session.hangs
