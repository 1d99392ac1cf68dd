"""The runs in memory: those of this process, and runs of the past while they are viewed."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cachetools import LRUCache

from app.middleware.client_address import address
from app.runs.history import RunHistory
from app.runs.live_run import LiveRun
from app.support.miss_limiter import MissLimiter
from nayer.errors import NayerError

Found = TypeVar("Found")
RUN_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_REMOVED = 1000  # deleted runs that are remembered, so that a look that began before does not bring one back
_KEPT = 16  # runs that ended and can still be looked at without the history
_IN_MEMORY = 4  # the newest of these still have their networks and batches
HELD_BYTES = 512 << 20  # of these networks together; the newest run keeps its own, whatever their size


class NoSuchRun(NayerError):
    """The run is unknown, or gone."""


class TooManyGuesses(NoSuchRun):
    """An address named too many runs that are not here."""


@dataclass(slots=True)
class _Entry:
    run: LiveRun
    begun: float  # when it was asked for
    seen: float  # when a viewer last asked


class RunRegistry:
    """Runs by id. A viewer needs only the id, because it is as hard to guess as a token. For any thread."""

    def __init__(self, history: RunHistory, clock: Callable[[], float]) -> None:
        self._history = history
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._removed: LRUCache[str, bool] = LRUCache(_REMOVED)  # ids
        self._pinned: dict[str, LiveRun] = {}  # recordings, which stay
        self._guesses = MissLimiter(clock)

    def put(self, run: LiveRun) -> None:
        """Adds a run; it replaces a run with the same id."""
        with self._lock:
            self._entries[run.id] = _Entry(run, self._clock(), self._clock())

    def pin(self, run: LiveRun) -> None:
        """Adds a run of the past that everyone may look at and that stays."""
        with self._lock:
            self._pinned[run.id] = run

    def get(self, run_id: str) -> LiveRun | None:
        """The run of that id if it is in memory, else None."""
        with self._lock:
            entry = self._entries.get(run_id)
            return entry.run if entry else self._pinned.get(run_id)

    def find(self, run_id: str) -> LiveRun:
        """A run in memory or in the history. Otherwise NoSuchRun, or TooManyGuesses after many such requests."""
        run = self.get(run_id)
        if run is not None:
            return run
        past = self._guessed(run_id, self._history.past)
        with self._lock:  # another thread may have loaded it meanwhile, or deleted it
            if run_id in self._removed:
                raise NoSuchRun(f"run={run_id[:40]!r} does not exist, or is no longer kept.")
            return self._entries.setdefault(run_id, _Entry(past, self._clock(), self._clock())).run

    def state(self, run_id: str) -> str:
        """The state of the run that `find` finds, without loading one of the past. It raises the same errors."""
        run = self.get(run_id)
        return run.state if run is not None else self._guessed(run_id, self._history.state)

    def _guessed(self, run_id: str, look_up: Callable[[str], Found | None]) -> Found:
        """What `look_up` finds in the history under that id; a miss counts as a guess of the address that asks."""
        guesser = address()  # empty if this process itself asks
        found = look_up(run_id) if RUN_ID.fullmatch(run_id) else None
        if found is not None:  # also at an address where somebody else guesses: a school has one
            return found
        if guesser and not self._guesses.allowed(guesser):
            raise TooManyGuesses(
                "this run does not exist, and neither did many others that you asked for; try again in a minute."
            )
        self._guesses.missed(guesser)
        raise NoSuchRun(f"run={run_id[:40]!r} does not exist, or is no longer kept.")

    def remove(self, run_id: str) -> None:
        """Removes a run that its owner deleted."""
        with self._lock:
            self._removed[run_id] = True
            self._entries.pop(run_id, None)

    def note_viewer(self, run: LiveRun) -> None:
        """Notes that a viewer asked for the run."""
        with self._lock:
            if entry := self._entries.get(run.id):
                entry.seen = self._clock()

    def age(self, run: LiveRun) -> float:
        """Seconds since the request for this run; infinite when the run is gone."""
        with self._lock:
            entry = self._entries.get(run.id)
            return self._clock() - entry.begun if entry else float("inf")

    def unviewed(self, seconds: float) -> list[LiveRun]:
        """The runs that no viewer has asked for in that many seconds."""
        with self._lock:
            return [entry.run for entry in self._entries.values() if self._clock() - entry.seen > seconds]

    def all(self) -> list[LiveRun]:
        """The runs in memory, in the order of their starts; without pinned runs."""
        with self._lock:
            return [entry.run for entry in self._entries.values()]

    def tidy(self) -> None:
        """Frees the networks of all ended runs except the newest, and removes the oldest ended runs."""
        ended = [run for run in self.all() if run.ended]
        held = 0
        for place, run in enumerate(reversed(ended)):
            held += run.held_bytes() if place < _IN_MEMORY else 0
            if place >= _IN_MEMORY or (place and held > HELD_BYTES):
                run.release()
        with self._lock:
            for run in ended[: max(0, len(ended) - _KEPT)]:
                if run.id in self._entries and self._entries[run.id].run is run:  # not a continued run with the same id
                    del self._entries[run.id]
