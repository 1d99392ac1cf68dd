"""Manages the runs: a visitor's token owns one run. A fixed number of runs are active; the others wait for a turn."""

from __future__ import annotations

import hmac
import math
import secrets
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from app.content import messages
from app.fairness.fair_queue import QueueFull
from app.runs.history import RunHistory
from app.runs.live_run import LiveRun, Source, hashed
from app.runs.plan import Plan
from app.runs.recorder import Recorder
from app.runs.registry import RunRegistry
from app.runs.scheduler import Scheduler
from app.runs.visitors import VisitorTokens, check_owner
from app.support import event_log
from app.support.metrics import FULL, Counters
from nayer.runs.session import Session
from nayer.runs.thread_budget import Cores

if TYPE_CHECKING:  # the core imports torch
    from nayer.distillation.redraw_preview import Redraws

P = ParamSpec("P")
Opener = Callable[[Plan], Source]
DOUBLE_SECONDS = 2.0  # the same start again within this is the same click


class RunManager:
    """All runs of this process. `opener` turns a plan into a source, on the run's own thread.

    `waiting` runs may wait for one of the `capacity` places. A run ends `grace_seconds` after its last viewer left. It
    also ends when others have waited for `idle_seconds` while it stood still or after its `turn_seconds`. `clock`
    gives the time for all of these, here and in the sessions.
    """

    def __init__(
        self,
        opener: Opener,
        *,
        capacity: int = 2,
        waiting: int = 100,
        grace_seconds: float = 90.0,
        idle_seconds: float = 60.0,
        turn_seconds: float = math.inf,
        history: RunHistory | None = None,
        counters: Counters | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.grace_seconds = grace_seconds
        self._opener = opener
        self.history = history or RunHistory()
        self.counters = counters or Counters()
        self._closing = False
        self._clock = clock
        self._lock = threading.RLock()
        self._cores = Cores()
        self._scheduler = Scheduler(capacity, waiting, clock, idle_seconds=idle_seconds, turn_seconds=turn_seconds)
        self._registry = RunRegistry(self.history, clock)
        self._visitors = VisitorTokens(self.history.knows)

    # --- visitors ------------------------------------------------------------------------------------------------

    def visitor(self, token: str) -> str:
        """That token if it is one of ours, also from before a restart; otherwise a new one."""
        with self._lock:
            return self._visitors.token(token)

    # --- commands ------------------------------------------------------------------------------------------------

    def start(self, plan: Plan, token: str, *, paused: bool = False, lane: str = "") -> LiveRun:
        """A new run for this visitor; it replaces their present run. It starts at once or waits for its turn.

        The same start again within a moment is a double click and gives the first run. `lane`: visitors with the same
        lane share turns, such as those behind one address; without it each visitor has their own turns. Raises
        QueueFull, and then changes nothing.
        """
        with self._lock:
            previous = self._mine(token)
            if previous is not None and self._is_double(previous, plan):
                return previous
            run_id = secrets.token_urlsafe(12)
            recorder = self.history.begin(run_id, hashed(token), plan, lane)
            session = self._session(run_id, lambda: self._opener(run.plan), recorder)
            run = LiveRun(plan, token, session, run_id, begins_paused=paused)
            try:
                self._enter(run, lane)
            except QueueFull:
                self.history.forget(run_id)
                self.counters.refused(FULL)
                event_log.event("no room", waiting=self.counts()["waiting"])
                raise
        return self._let_in(run, previous, "asked for")

    def revive(self, run_id: str, token: str, *, lane: str = "") -> LiveRun:
        """Continues an interrupted run from its last checkpoint, for its owner. It replaces their active run.

        Raises ConfigError for a run that was not interrupted, StorageError for a damaged checkpoint, and QueueFull.
        """
        with self._lock:
            past = self.owned(run_id, token)
            if not past.ended:
                return past
            self._scheduler.check(lane or token)
            continued = self.history.continued(past)
            recorder = continued.recorder
            session = self._session(run_id, lambda: continued.source(self._opener), recorder)
            run = LiveRun(past.plan, token, session, run_id)
            session.restore_events(continued.events)
            run.restore_events(continued.events, past.views)  # so that its viewers get the news
            previous = self._mine(token)
            self._enter(run, lane)
        return self._let_in(run, previous if previous is not past else None, "revived")

    def find(self, run_id: str) -> LiveRun:
        """The run of that id, for anyone who knows it, also one of the past; NoSuchRun otherwise."""
        return self._registry.find(run_id)

    def in_memory(self, run_id: str) -> bool:
        """Whether `find` finds that run without the history."""
        return self._registry.get(run_id) is not None

    def state(self, run_id: str) -> str:
        """The state of the run that `find` finds, without loading one of the past. It raises the same errors."""
        return self._registry.state(run_id)

    def of_visitor(self, token: str) -> list[LiveRun]:
        """The runs in memory that the visitor started."""
        owner = hashed(token)
        return [run for run in self._registry.all() if hmac.compare_digest(run.owner_hash, owner)]

    def pin(self, run: LiveRun) -> None:
        """Keeps a past run in memory for all visitors, permanently."""
        self._registry.pin(run)

    def owned(self, run_id: str, token: str) -> LiveRun:
        """The run of that id, for its owner; NotYours for other visitors."""
        run = self.find(run_id)
        check_owner(run, token)
        return run

    def command(
        self, run_id: str, token: str, act: Callable[Concatenate[LiveRun, P], None], *given: P.args, **named: P.kwargs
    ) -> LiveRun:
        """A method of `LiveRun`, such as `LiveRun.pause`, for the run's owner; returns the run."""
        run = self._owned_now(run_id, token)
        act(run, *given, **named)
        return run

    def stop(self, run_id: str, token: str) -> LiveRun:
        """Ends the run, for its owner; without effect on one that has ended."""
        run = self._owned_now(run_id, token)
        self._end(run)
        self._scheduler.advance()
        return run

    def leave(self, run_id: str, token: str) -> LiveRun:
        """Its owner's page is closing: a waiting run leaves the queue, unless a viewer looks at it soon."""
        run = self._owned_now(run_id, token)
        self._scheduler.leave(run)
        return run

    def describe(self, run_id: str, token: str, name: str, notes: str) -> LiveRun:
        """Gives a run its name and notes, for its owner. It waits until they are kept."""
        run = self.owned(run_id, token)
        run.describe(name, notes)
        self.history.describe(run_id, name, notes)
        self.history.flush()
        return run

    def delete(self, run_id: str, token: str) -> None:
        """Ends a run if it is active, and removes all its data, for its owner."""
        with self._lock:  # a run that is continued at this moment is continued before or not at all
            run = self.owned(run_id, token)
            self._end(run)
            self.history.forget(run_id)
            self._registry.remove(run_id)
        self.history.flush()
        self._scheduler.advance()
        event_log.event("deleted", run_id, **self.counts())

    def redraws(self, run_id: str, token: str, arm: int, label: int, count: int) -> Redraws:
        """One label of an arm through `count` new noisy layers, for the run's owner; also after its end."""
        return self._owned_now(run_id, token).ask(lambda source: source.redraws(arm, label, count))

    def look(self, run_id: str) -> LiveRun:
        """Calls `find`, and notes that a viewer is watching."""
        run = self.find(run_id)
        self._registry.note_viewer(run)
        run.session.keep_alive()
        try:
            self._displace(self._scheduler.back(run))
        except QueueFull:
            self._end(run)
        self._scheduler.advance()
        return run

    # --- housekeeping --------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Removes runs that left the queue, runs that must give way to it, and the oldest of the ended runs."""
        self._scheduler.sweep()
        self._registry.tidy()
        for run in self._registry.unviewed(self.grace_seconds):
            if run.waiting:
                self._end(run)
        for run, reason in self._scheduler.runs_to_preempt():
            self._end(run, reason)
        self._scheduler.advance()

    def close(self, seconds: float = 4.0) -> None:
        """Stops every run and waits for them, `seconds` in all. The history writes all its waiting data."""
        self._closing = True
        self._scheduler.close()
        runs = self._registry.all()
        for run in runs:
            self._end(run)
        until = self._clock() + seconds
        for run in runs:
            run.session.join(max(0.0, until - self._clock()))
        self.history.close()

    def waits(self) -> dict[str, float | None]:
        """Waiting times in seconds: for a visitor who arrives now, and for the latest visitors."""
        return self._scheduler.waits()

    def runs(self) -> list[LiveRun]:
        """The runs in memory, in the order of their starts."""
        return self._registry.all()

    def counts(self) -> dict[str, int]:
        """How many run, wait, may run at once, and how many places are lost to runs that hang."""
        return self._scheduler.counts()

    def stuck_after(self, seconds: float) -> None:
        """From now on, a run that works longer than `seconds` on one event is given up."""
        self._scheduler.stuck_seconds = seconds

    def _owned_now(self, run_id: str, token: str) -> LiveRun:
        """The run, as from `owned`; keeps it alive, because its owner is present."""
        run = self.owned(run_id, token)
        run.session.keep_alive()
        return run

    def _is_double(self, run: LiveRun, plan: Plan) -> bool:
        return not run.ended and run.plan == plan and self._registry.age(run) < DOUBLE_SECONDS

    def _mine(self, token: str) -> LiveRun | None:
        return self._registry.get(self._visitors.run(token))

    def _session(self, run_id: str, open_source: Callable[[], Source], recorder: Recorder | None) -> Session[Source]:
        began = self._clock()

        def ended(session: Session[Source]) -> None:
            self._scheduler.advance()
            state = "interrupted" if self._closing and session.state == "stopped" else session.state
            self._ended(run_id, state, self._clock() - began)
            if recorder is not None:
                recorder.on_end(state, session.error)

        return Session(
            open_source if recorder is None else lambda: recorder.set_source(open_source()),
            grace_seconds=self.grace_seconds,
            on_event=None if recorder is None else recorder.on_event,
            on_end=ended,
            cores=self._cores,
            clock=self._clock,
        )

    def _enter(self, run: LiveRun, lane: str) -> None:
        """Puts a run into the queue; it replaces its visitor's earlier run. On QueueFull nothing changes."""
        run.enter_queue(
            ahead=lambda: self._scheduler.ahead(run),
            wait=lambda: self._scheduler.seconds(run),
            warning=lambda: self._scheduler.warning(run) or self.history.sentence,
        )
        self._displace(self._scheduler.wait(run, lane or run.owner))
        self._registry.put(run)
        self._visitors.began(run.owner, run.id)

    def _let_in(self, run: LiveRun, previous: LiveRun | None, what: str) -> LiveRun:
        """Lets a run in after it is in the history, if there is one: an announced run survives a crash."""
        self.counters.run(what)
        event_log.event(what, run.id, arms=len(run.plan.arms), **self.counts())
        if previous is not None:
            self._end(previous)
        self.history.flush()
        self._scheduler.advance()
        return run

    def _displace(self, run: LiveRun | None) -> None:
        """Ends a run that left a full queue, because its address has the most that wait."""
        if run is not None:
            self.counters.refused(FULL)
            self._end(run, messages.GAVE_WAY_QUEUE)

    def _end(self, run: LiveRun, reason: str = "") -> None:
        """Ends a run in any state; `reason` is one sentence for its viewers."""
        self._scheduler.remove(run)
        waited = run.end(reason)
        if waited and run.ended and not self._closing:
            self._ended(run.id, "stopped", 0.0)
            self.history.end_unstarted(run.id)

    def _ended(self, run_id: str, state: str, seconds: float) -> None:
        self.counters.run(state)
        event_log.event(state, run_id, seconds=round(seconds, 1), **self.counts())
