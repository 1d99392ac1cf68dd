"""The runs that can be looked at: those of this process, and those of the past for as long as somebody does."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from app.middleware.client_address import address
from app.runs.history import RunHistory
from app.runs.live_run import LiveRun
from app.support.miss_limiter import MissLimiter
from nayer.errors import NayerError

RUN_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_KEPT = 16  # runs that ended and can still be looked at without the history
_IN_MEMORY = 4  # of these, the newest, whose networks and batches are still there


class NoSuchRun(NayerError):
    """The run is unknown, or gone."""


class TooManyGuesses(NoSuchRun):
    """Whoever asks named too many runs that are not here."""


@dataclass(slots=True)
class _Entry:
    run: LiveRun
    begun: float  # when it was asked for
    seen: float  # when a viewer last asked


class RunRegistry:
    """By id, which is all it takes to look: an id is as unguessable as a token. For any thread."""

    def __init__(self, keeping: RunHistory, clock: Callable[[], float]) -> None:
        self._keeping = keeping
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._pinned: dict[str, LiveRun] = {}  # recordings, which stay
        self._guesses = MissLimiter(clock)

    def put(self, run: LiveRun) -> None:
        """In place of one of the same id."""
        with self._lock:
            self._entries[run.id] = _Entry(run, self._clock(), self._clock())

    def pin(self, run: LiveRun) -> None:
        """One of the past that everybody may look at, and that stays."""
        with self._lock:
            self._pinned[run.id] = run

    def get(self, run_id: str) -> LiveRun | None:
        """One that is in memory."""
        with self._lock:
            entry = self._entries.get(run_id)
            return entry.run if entry else self._pinned.get(run_id)

    def find(self, run_id: str) -> LiveRun:
        """One in memory or in the history. NoSuchRun otherwise, TooManyGuesses where that happens again and again."""
        run = self.get(run_id)
        if run is not None:
            return run
        guesser = address()  # none where this process asks itself
        if guesser and not self._guesses.allowed(guesser):
            raise TooManyGuesses("run is not here, nor were many others that you asked for; try again in a minute.")
        past = self._keeping.past(run_id) if RUN_ID.fullmatch(run_id) else None
        if past is None:
            self._guesses.missed(guesser)
            raise NoSuchRun(f"run={run_id[:40]!r} is not here; it was never started, or its time is over.")
        with self._lock:  # somebody else may have looked for it meanwhile
            return self._entries.setdefault(run_id, _Entry(past, self._clock(), self._clock())).run

    def seen(self, run: LiveRun) -> None:
        """Somebody looks at it now."""
        with self._lock:
            if entry := self._entries.get(run.id):
                entry.seen = self._clock()

    def age(self, run: LiveRun) -> float:
        """Seconds since it was asked for; without end once it is gone."""
        with self._lock:
            entry = self._entries.get(run.id)
            return self._clock() - entry.begun if entry else float("inf")

    def unseen(self, seconds: float) -> list[LiveRun]:
        """Those that nobody has looked at for longer."""
        with self._lock:
            return [entry.run for entry in self._entries.values() if self._clock() - entry.seen > seconds]

    def all(self) -> list[LiveRun]:
        with self._lock:
            return [entry.run for entry in self._entries.values()]

    def tidy(self) -> None:
        """Lets go of the networks of all but the newest that ended, and of the oldest of these altogether."""
        ended = [run for run in self.all() if run.ended]
        for run in ended[:-_IN_MEMORY]:
            run.release()
        with self._lock:
            for run in ended[: max(0, len(ended) - _KEPT)]:
                if run.id in self._entries and self._entries[run.id].run is run:  # not one that goes on under its id
                    del self._entries[run.id]
