"""A fixed number of run slots, allotted fairly, and the queue of runs that wait for one."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from app.content import messages
from app.fairness.fair_queue import FairQueue
from app.runs.live_run import LiveRun
from app.runs.wait_estimate import estimate, left, rounded

LEAVE_SECONDS = 3.0  # how long a place in the queue outlives its page: a page that is only reloaded is back by then
STUCK_SECONDS = 120.0  # time on one event: no step of a run takes so long, unless the machine hangs
SHORTEST_TURN = 120.0  # s; a turn never gets shorter than this, however many wait
_TOOK = 20  # number of latest runs for the usual length of a run and the usual wait
_WARNED_IN = 15  # s: a run's warning gives its time left in steps of this size


@dataclass(slots=True)
class _SlotUse:
    """The time that a run used of its place; all in seconds."""

    since: float  # when it got the place
    counted: float  # when it was last looked at
    stood: float = 0.0  # how long it had stood still by then
    owed: float = 0.0  # the time without a right to the place while others waited


@dataclass(slots=True)
class _Wait:
    """A run in the queue; times in seconds."""

    lane: str
    asked: float  # when it was asked for
    left: float | None = None  # when its page closed


class Scheduler:
    """Every method may be called from any thread. `waiting` runs may wait at once.

    A run has a right to its place while it works at full speed, and for its turn. A turn is `turn_seconds`, divided by
    one more than the runs that wait for each place, so that the places of a class rotate. Further time in the place
    while others wait is added up. When the sum reaches `idle_seconds`, the run must give way.
    """

    def __init__(
        self, capacity: int, waiting: int, clock: Callable[[], float], *, idle_seconds: float, turn_seconds: float
    ) -> None:
        self.capacity = capacity
        self.stuck_seconds = STUCK_SECONDS
        self._idle_seconds = idle_seconds
        self._turn_seconds = turn_seconds
        self._clock = clock
        self._lock = threading.RLock()
        self._queue: FairQueue[LiveRun] = FairQueue(waiting)
        self._running: dict[LiveRun, _SlotUse] = {}
        self._waiting: dict[LiveRun, _Wait] = {}  # those in the queue
        self._parked: dict[LiveRun, str] = {}  # these left the queue; they may come back, at the end of the queue
        self._took: deque[float] = deque(maxlen=_TOOK)
        self._waited: deque[float] = deque(maxlen=_TOOK)

    def wait(self, run: LiveRun, lane: str) -> LiveRun | None:
        """Puts `run` into the queue; QueueFull, and nothing changed, where there is no room.

        Returns the run that left a full queue for it, if there was one: the last of the lane that has the most.
        """
        with self._lock:
            self._count()  # before this, perhaps no run waited
            displaced = self._queue.make_room(lane)
            self._queue.add(run, lane)
            if displaced is not None:
                self.remove(displaced)
            self._waiting[run] = _Wait(lane, self._clock())
            return displaced

    def check(self, lane: str) -> None:
        """Raises QueueFull if one more run of that lane cannot wait."""
        with self._lock:
            if not self._queue.heavier(lane):
                self._queue.check(lane)

    def remove(self, run: LiveRun) -> None:
        """Removes `run` from the queue. An active run keeps its place until it ends."""
        with self._lock:
            self._queue.remove(run)
            self._waiting.pop(run, None)
            self._parked.pop(run, None)

    def leave(self, run: LiveRun) -> None:
        """Notes that the page of a waiting run was closed; `back` undoes it."""
        with self._lock:
            wait = self._waiting.get(run)
            if wait is not None and wait.left is None:
                wait.left = self._clock()

    def back(self, run: LiveRun) -> LiveRun | None:
        """Puts a run back into the queue because a viewer asks for it. QueueFull if there is no room now.

        Returns what `wait` returns.
        """
        with self._lock:
            if run in self._waiting:
                self._waiting[run].left = None
            if run not in self._parked:
                return None
            displaced = self.wait(run, self._parked[run])
            del self._parked[run]
            return displaced

    def sweep(self) -> None:
        """Removes runs that left the queue and did not come back, and gives up runs that hang."""
        with self._lock:
            self._count()
            for run in self._running:
                if run.session.stuck_seconds > self.stuck_seconds:
                    run.session.give_up(
                        f"The run did not answer for {self.stuck_seconds:.0f} s and was stopped; start it again."
                    )
            now = self._clock()
            for run, wait in list(self._waiting.items()):
                if wait.left is not None and now - wait.left >= LEAVE_SECONDS:
                    self.remove(run)
                    self._parked[run] = wait.lane

    def advance(self) -> None:
        """Frees the places of ended runs and gives them to the next runs in turn."""
        with self._lock:
            for run in [run for run in self._running if run.ended and not _lost(run)]:
                self._took.append(self._clock() - self._running.pop(run).since)
            while len(self._queue) and len(self._running) < self.capacity:
                run = self._queue.pop()
                wait, now = self._waiting.pop(run), self._clock()
                self._running[run] = _SlotUse(now, now)
                self._waited.append(now - wait.asked)
                run.begin()

    def close(self) -> None:
        """Empties the queue."""
        with self._lock:
            for kept in (self._queue, self._waiting, self._parked):
                kept.clear()

    def runs_to_preempt(self) -> list[tuple[LiveRun, str]]:
        """Runs that must give way now, at most as many as wait, each with a sentence for its viewers."""
        with self._lock:
            over = [(run, place) for run, place in self._running.items() if place.owed >= self._idle_seconds]
            over.sort(key=lambda one: one[1].owed, reverse=True)
            return [
                (run, messages.GAVE_WAY_TURN if self._turn_left(place) <= 0 else messages.GAVE_WAY_STILL)
                for run, place in over[: len(self._queue)]
            ]

    def warning(self, run: LiveRun) -> str:
        """The warning for a run that must soon give way, in one sentence; empty for all other runs."""
        with self._lock:
            place = self._running.get(run)
            if place is None or not len(self._queue):
                return ""
            turn_is_over = self._turn_left(place) <= 0
            if not turn_is_over and not run.session.is_held:
                return ""
            sentence = messages.GIVES_WAY_TURN if turn_is_over else messages.GIVES_WAY_STILL
            return sentence.format(
                seconds=_WARNED_IN * math.ceil(max(1.0, self._idle_seconds - place.owed) / _WARNED_IN)
            )

    def _count(self) -> None:
        """Adds the time of runs in their places since the last call. Time without a right to it is counted apart."""
        now = self._clock()
        for run, place in self._running.items():
            stood = run.session.standing_seconds
            if len(self._queue):
                past = now - max(place.counted, place.since + self._turn())
                place.owed += max(past, stood - place.stood, 0.0)
            place.counted, place.stood = now, stood

    def _turn(self) -> float:
        """Seconds of a turn with as many waiting as now."""
        shared = self._turn_seconds / (1 + len(self._queue) / self.capacity)
        return max(shared, min(SHORTEST_TURN, self._turn_seconds))

    def _turn_left(self, place: _SlotUse) -> float:
        return place.since + self._turn() - self._clock()

    def _left(self, run: LiveRun, place: _SlotUse) -> float | None:
        """The most seconds that a run can still hold its place if others wait; None if there is no limit."""
        owing = max(0.0, self._idle_seconds - place.owed)
        if run.session.is_held:
            return owing
        bounds = [max(0.0, self._turn_left(place)) + owing, left(run)]
        return min((bound for bound in bounds if bound is not None and bound < math.inf), default=None)

    def _seconds_left(self) -> list[float | None]:
        return [self._left(run, place) for run, place in self._running.items() if not _lost(run)]

    def ahead(self, run: LiveRun) -> int:
        """Runs that come first: those before it in the queue, and one more for the place that must become free."""
        with self._lock:
            order = self._queue.order()
            return order.index(run) + 1 if run in order else 0

    def seconds(self, run: LiveRun) -> float | None:
        """How long `run` will wait, in round numbers; None if unknown."""
        with self._lock:
            return rounded(estimate(self._seconds_left(), self._took, max(0, self.ahead(run) - 1)))

    def waits(self) -> dict[str, float | None]:
        """Seconds of waiting: for a new run (None if unknown), and the usual and the longest of the latest waits."""
        with self._lock:
            free = len(self._running) < self.capacity
            coming = 0.0 if free else rounded(estimate(self._seconds_left(), self._took, len(self._queue)))
            latest = sorted(self._waited)
            return {
                "now": coming,
                "usual": round(latest[len(latest) // 2], 1) if latest else None,
                "longest": round(latest[-1], 1) if latest else None,
            }

    def counts(self) -> dict[str, int]:
        """How many run, wait, may run at once, and how many places are lost because threads hang."""
        with self._lock:
            lost = sum(_lost(run) for run in self._running)
            return {
                "running": len(self._running) - lost,
                "waiting": len(self._queue),
                "capacity": self.capacity,
                "lost": lost,
            }


def _lost(run: LiveRun) -> bool:
    """Whether a run has ended for its viewers, but its thread hangs and blocks its place."""
    return run.session.is_stuck
