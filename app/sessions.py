"""Who runs what: a visitor's token owns one run, a fixed number run at once, the others wait their turn."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.live_run import LiveRun, Source
from app.plans import Plan
from nayer.errors import ConfigError, NayerError
from nayer.session import Session

if TYPE_CHECKING:  # the core brings torch with it
    from nayer.redraws import Redraws

Opener = Callable[[Plan], Source]
ANSWER_SECONDS = 30.0  # how long a command waits for a run between two events
_KEPT = 16  # runs that ended and can still be looked at
_IN_MEMORY = 4  # of these, the newest, whose networks and batches are still there
_VISITORS = 2000  # tokens that are remembered


class NoSuchRun(NayerError):
    """The run is unknown, or gone."""


class NotYours(NayerError):
    """A command came with another visitor's token, or none."""


class Registry:
    """All runs of this process. `opener` turns a plan into what is run, on the run's own thread."""

    def __init__(
        self,
        opener: Opener,
        *,
        capacity: int = 2,
        grace_seconds: float = 90.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.capacity = capacity
        self.grace_seconds = grace_seconds
        self._opener = opener
        self._clock = clock
        self._lock = threading.RLock()
        self._runs: OrderedDict[str, LiveRun] = OrderedDict()
        self._queue: list[LiveRun] = []
        self._running: list[LiveRun] = []
        self._paused_start: set[str] = set()
        self._seen: dict[str, float] = {}  # run -> when a viewer last asked
        self._visitors: OrderedDict[str, str | None] = OrderedDict()  # token -> run

    # --- visitors ------------------------------------------------------------------------------------------------

    def visitor(self, token: str) -> str:
        """That token if it is one of ours, else a new one."""
        with self._lock:
            if token not in self._visitors:
                token = secrets.token_urlsafe(24)
                self._visitors[token] = None
            self._visitors.move_to_end(token)
            while len(self._visitors) > _VISITORS:
                self._visitors.popitem(last=False)
            return token

    # --- commands ------------------------------------------------------------------------------------------------

    def start(self, plan: Plan, token: str, *, paused: bool = False) -> LiveRun:
        """A new run for this visitor, in place of the one they have; it begins at once or waits its turn."""
        with self._lock:
            previous = self._runs.get(self._visitors.get(token) or "")
            session = Session(
                lambda: self._opener(plan), grace_seconds=self.grace_seconds, on_end=lambda _: self._advance()
            )
            run = LiveRun(plan, token, session)
            run.ahead = lambda: self._ahead(run)
            self._runs[run.id] = run
            self._visitors[token] = run.id
            self._queue.append(run)
            self._seen[run.id] = self._clock()
            if paused:
                self._paused_start.add(run.id)
        if previous is not None:
            self._end(previous)
        self._advance()
        return run

    def find(self, run_id: str) -> LiveRun:
        """The run of that id, for anyone who knows it; NoSuchRun otherwise."""
        with self._lock:
            run = self._runs.get(run_id)
        if run is None:
            raise NoSuchRun(f"run={run_id[:40]!r} is not here; it was never started, or its time is over.")
        return run

    def owned(self, run_id: str, token: str) -> LiveRun:
        """The run of that id, for its owner; NotYours for anybody else."""
        run = self.find(run_id)
        if not hmac.compare_digest(run.owner.encode(), token.encode()):
            raise NotYours(
                f"run={run_id[:40]!r} belongs to somebody else; commands need the token it was started with."
            )
        return run

    def command(self, run_id: str, token: str, command: str, *arguments: Any) -> LiveRun:
        """One of pause, resume, step, pace, change and stop, by the run's owner.

        Without effect on a run that has ended, but for `change`, which says so.
        """
        run = self.owned(run_id, token)
        run.session.keep_alive()
        match command:
            case "stop":
                self._end(run)
                self._advance()
            case "pace":
                run.pace = arguments[0]
                run.session.set_pace(run.pace)
            case "change":
                if run.ended:
                    raise ConfigError("this run has ended and cannot change; start a new one.")
                run.session.ask(lambda source: source.change(*arguments)).result(ANSWER_SECONDS)
            case _:
                getattr(run.session, command)(*arguments)
        return run

    def redraws(self, run_id: str, token: str, arm: int, label: int, count: int) -> Redraws:
        """One label of an arm through `count` new noisy layers, for the run's owner; also after its end."""
        run = self.owned(run_id, token)
        run.session.keep_alive()
        return run.session.ask(lambda source: source.redraws(arm, label, count)).result(ANSWER_SECONDS)

    def look(self, run_id: str) -> LiveRun:
        """`find`, and note that somebody is watching."""
        run = self.find(run_id)
        with self._lock:
            self._seen[run.id] = self._clock()
        run.session.keep_alive()
        return run

    # --- housekeeping --------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Drop those who left the queue without a word, and the oldest of the runs that ended."""
        now = self._clock()
        with self._lock:
            gone = [run for run in self._queue if now - self._seen[run.id] > self.grace_seconds]
            ended = [run for run in self._runs.values() if run.ended]
            for run in ended[:-_IN_MEMORY]:
                run.release()
            for run in ended[: max(0, len(ended) - _KEPT)]:
                del self._runs[run.id]
                self._seen.pop(run.id, None)
        for run in gone:
            self._end(run)
        self._advance()

    def close(self, seconds: float = 5.0) -> None:
        """Stop every run and wait for them, `seconds` in all."""
        with self._lock:
            self._queue.clear()
            runs = list(self._runs.values())
        for run in runs:
            self._end(run)
        until = self._clock() + seconds
        for run in runs:
            run.session.join(max(0.0, until - self._clock()))

    def counts(self) -> dict[str, int]:
        """How many run, wait, and may run at once."""
        with self._lock:
            return {"running": len(self._running), "waiting": len(self._queue), "capacity": self.capacity}

    def _ahead(self, run: LiveRun) -> int:
        """Runs that come first: those before it in the queue, and one more for the place that must fall free."""
        with self._lock:
            return self._queue.index(run) + 1 if run in self._queue else 0

    def _end(self, run: LiveRun) -> None:
        with self._lock:
            if run in self._queue:
                self._queue.remove(run)
            run.waiting = False
        run.session.stop()

    def _advance(self) -> None:
        """Free the places of runs that ended and give them to those who waited longest."""
        with self._lock:
            self._running = [run for run in self._running if not run.ended]
            while self._queue and len(self._running) < self.capacity:
                run = self._queue.pop(0)
                self._running.append(run)
                run.waiting = False
                run.session.start(paused=run.id in self._paused_start)
                self._paused_start.discard(run.id)
