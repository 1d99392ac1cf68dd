"""A model of queue × owner × run that Hypothesis drives. The rules hold for every order of visitors' actions."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.fairness.fair_queue import QueueFull
from app.runs.live_run import LiveRun
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.runs.registry import NoSuchRun
from app.runs.visitors import NotYours
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.events import Event
from nayer.runs.session import ENDED
from tests.support.commanding import command
from tests.support.scripted import SHORT, Scripted, script
from tests.support.serving import wait_until

CAPACITY, WAITING, GRACE, IDLE = 2, 6, 90.0, 300.0
LANES = ["", "school", "library"]


class Handle:
    """Decides how one scripted run goes: how many events it may give, and whether it ends, fails or goes on."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.go = threading.Event()
        self.error: BaseException | None = None

    def events(self) -> Iterator[Event]:
        events = script(self.config)
        yield next(events)
        while not self.go.wait(0.002):
            yield next(script(self.config))
        if self.error is not None:
            raise self.error
        yield from events


class Model(RuleBasedStateMachine):
    """Sessions are real and have one thread each. Their runs are scripted, and the test advances their clock."""

    runs = Bundle("runs")

    @initialize()
    def open(self) -> None:
        self.now = 0.0
        self.handles: dict[int, Handle] = {}
        self.started: list[LiveRun] = []
        self.terminal: dict[str, str] = {}
        self.registry = RunManager(
            self._opened,
            capacity=CAPACITY,
            waiting=WAITING,
            grace_seconds=GRACE,
            idle_seconds=IDLE,
            clock=lambda: self.now,
        )
        self.registry.stuck_after(
            math.inf
        )  # no run counts as stuck: a thread may work while the test advances the clock
        self.tokens = [self.registry.visitor("") for _ in range(4)]

    def _opened(self, plan: Plan) -> Scripted:
        return Scripted(self.handles[plan.configs[0].seed].events)

    # --- what visitors do --------------------------------------------------------------------------------------

    @rule(target=runs, who=st.integers(0, 3), lane=st.sampled_from(LANES), paused=st.booleans())
    def start(self, who: int, lane: str, paused: bool) -> LiveRun | None:
        token, before = self.tokens[who], self.registry.counts()
        seed = len(self.handles)
        config = SHORT.model_copy(update={"seed": seed})
        self.handles[seed] = Handle(config)
        mine = [run for run in self.started if run.owner == token and not run.ended]
        try:
            run = self.registry.start(Plan.alone(config), token, paused=paused, lane=lane)
        except QueueFull:
            assert self.registry.counts()["waiting"] == before["waiting"] >= WAITING // 2
            assert all(not run.ended or run.session.state in ENDED for run in mine)
            return None
        self.started.append(run)
        wait_until(lambda: all(run.ended for run in mine), what="the former run has ended")
        return run

    @rule(run=runs, who=st.integers(0, 3), name=st.sampled_from(["pause", "resume", "stop", "leave", "pace"]))
    def command(self, run: LiveRun | None, who: int, name: str) -> None:
        if run is None:
            return
        token, state = self.tokens[who], run.state
        arguments = [0.001] if name == "pace" else []
        try:
            command(self.registry, run.id, token, name, *arguments)
        except NotYours:
            assert run.owner != token
            assert run.state == state
        except NoSuchRun:
            assert run.ended
        else:
            assert run.owner == token
            if name == "stop":
                wait_until(lambda: run.ended, what="a stop is an end")

    @rule(run=runs)
    def look(self, run: LiveRun | None) -> None:
        if run is None:
            return
        try:
            condition = self.registry.look(run.id).refresh().condition
        except NoSuchRun:
            assert run.ended
            return
        assert (condition.ahead > 0) == (condition.state == "queued")

    @rule(run=runs, error=st.sampled_from([None, ConfigError("seed=0 fails."), MemoryError(), SystemExit(1)]))
    def end_by_itself(self, run: LiveRun | None, error: BaseException | None) -> None:
        if run is None or run.waiting or run.state != "running":
            return
        handle = self.handles[run.config.seed]
        handle.error = error
        handle.go.set()
        run.session.set_pace(0.0)
        wait_until(lambda: run.ended, what="a run that goes on comes to its end")
        assert run.state == ("finished" if error is None else "failed")

    # --- what time does ----------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1.0, 4.0, 100.0, 400.0]))
    def wait(self, seconds: float) -> None:
        """Nobody leaves meanwhile, so that no session ends by its grace in a thread of its own."""
        while seconds > 0:
            self.now += min(seconds, GRACE / 2)
            seconds -= GRACE / 2
            for run in self.started:
                run.session.keep_alive()

    @rule()
    def sweep(self) -> None:
        queued = [run for run in self.started if run.waiting]
        self.registry.sweep()
        for run in queued:
            if run.ended:
                assert run.state == "stopped"

    @precondition(lambda self: self.registry.counts()["waiting"] > 0)
    @rule()
    def all_places_fall_free(self) -> None:
        """The visitor at the front of the queue gets a place."""
        first = [run for run in self.started if run.waiting and run.refresh().condition.ahead == 1]
        gone = [run for run in self.started if not run.waiting]
        for run in gone:
            run.session.stop()
        wait_until(lambda: all(run.ended for run in gone), what="a stop is an end")
        wait_until(lambda: all(not run.waiting for run in first), what="the first in the queue has a place")

    # --- what always holds -------------------------------------------------------------------------------------

    @invariant()
    def the_rules_hold(self) -> None:
        wait_until(self._settled, what="places are given out")
        counts = self.registry.counts()
        assert counts["lost"] == 0
        queued = [run for run in self.started if run.waiting and run.ahead() > 0]
        assert sorted(run.ahead() for run in queued) == list(range(1, len(queued) + 1))
        assert counts["waiting"] == len(queued) <= WAITING
        live = [run for run in self.started if not run.ended]
        assert len({run.owner for run in live}) == len(live)  # one for each visitor
        for run in self.started:
            if run.ended:
                assert self.terminal.setdefault(run.id, run.state) == run.state

    def _settled(self) -> bool:
        """There are no more runs than places, and no place is free while a visitor waits."""
        counts = self.registry.counts()
        going = [run for run in self.started if not run.waiting and not run.ended]
        assert len(going) <= CAPACITY
        return counts["running"] == len(going) and (len(going) == CAPACITY or not counts["waiting"])

    def teardown(self) -> None:
        if hasattr(self, "registry"):
            for handle in self.handles.values():
                handle.go.set()
            self.registry.close()
            assert all(run.ended for run in self.started)
