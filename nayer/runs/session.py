"""A run in a worker thread, for many viewers: start, pause, step, slow motion, stop.

A paused session does not call next(), so a pause cannot change a result. There are no other states than these:
idle → running ⇄ paused → finished | stopped | failed; interrupted is a run of an earlier process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import nullcontext
from typing import Generic, Literal, Protocol, TypeVar

from nayer.common.stopwatch import Stopped, Stopwatch
from nayer.events import (
    Event,
    GeneratorStep,
    LayerRedrawn,
    Note,
    RoundFinished,
    RunFailed,
    RunFinished,
    StudentStep,
)
from nayer.runs.broadcast import Broadcaster, Subscriber
from nayer.runs.requests import Question, RequestQueue, close, sentence
from nayer.runs.slow_motion import waits_at
from nayer.runs.thread_budget import Cores

StepKind = Literal["redraw", "generator", "student", "round"]
STEPS: dict[StepKind, type[Event]] = {
    "redraw": LayerRedrawn,
    "generator": GeneratorStep,
    "student": StudentStep,
    "round": RoundFinished,
}


State = Literal["idle", "running", "paused", "finished", "stopped", "failed", "interrupted"]
ENDED: frozenset[State] = frozenset({"finished", "stopped", "failed", "interrupted"})


class Source(Protocol):
    """The source of a session's events: a run, or a lab of several runs."""

    def events(self) -> Iterator[Event]:
        """The events of a run, from its present state on."""

    def stop(self) -> None:
        """Makes `events` raise Stopped before its next step, if there is one. Any thread may call it."""


Opened = TypeVar("Opened", bound=Source)
Answer = TypeVar("Answer")


class Session(Generic[Opened]):
    """Runs one event source in its own thread. Any thread may call every method, in any state."""

    def __init__(
        self,
        open_source: Callable[[], Opened],
        *,
        grace_seconds: float | None = None,
        on_event: Callable[[Event], None] | None = None,
        on_end: Callable[[Session[Opened]], None] | None = None,
        cores: Cores | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`open_source` loads the source, in the worker thread. A session with a grace period ends that long after the
        last `keep_alive`. `on_event` gets each event, between two steps of the source. `on_end` is called once, after
        any end of the run: in the worker thread or, if the system has no thread, in the thread of `start`. `cores` are
        shared with other sessions. `clock` counts the grace period and the seconds that the session reports."""
        self._open = open_source
        self._grace = grace_seconds
        self._on_event = on_event
        self._on_end = on_end
        self._cores = cores
        self._changed = threading.Condition()
        self._questions: RequestQueue[Opened] = RequestQueue(self._changed)
        self._audience = Broadcaster()
        self._state: State = "idle"
        self._step_to: StepKind | None = None
        self._pace = 0.0
        self._stop_asked = False
        self._stop_reason = ""
        self._clock = clock
        self._seen = clock()
        self._working_since: float | None = None  # by the clock; set while the source works
        self._standing = Stopwatch(now=clock)
        self._given_up = False
        self._thread: threading.Thread | None = None
        self.error = ""  # one sentence if the state is failed

    def restore_events(self, events: Iterable[Event], state: State = "idle", error: str = "") -> None:
        """Takes over the events and the end of a run in an earlier process. Call it only before the start."""
        with self._changed:
            self._audience.restore_events(events)
            self._state, self.error = state, error

    @property
    def state(self) -> State:
        """The present state, or the state at the end."""
        return self._state

    def start(self, paused: bool = False) -> None:
        """Begins the run. Does nothing if it has begun. With `paused` it waits before the first event."""
        with self._changed:
            if self._state != "idle":
                return
            self._state = "paused" if paused else "running"
            self._seen = self._clock()
            thread = threading.Thread(target=self._work, name="nayer-session", daemon=True)
            try:
                thread.start()
                self._thread = thread
            except RuntimeError:  # the system gives no more threads
                self._fail("The machine is too busy to start this run; try again in a few minutes.")
                self._state = "failed"
        if self._thread is None and self._on_end is not None:
            self._on_end(self)

    def pause(self) -> None:
        """Pauses the run before the next event. Has no effect after the end."""
        self._move("running", "paused")

    def resume(self) -> None:
        """Continues the run. Has no effect after the end."""
        self._move("paused", "running")

    def step(self, kind: StepKind) -> None:
        """Runs until the next event of this kind, then pauses."""
        with self._changed:
            if self._state in ("running", "paused"):
                self._state = "running"
                self._step_to = kind
                self._changed.notify_all()

    def set_pace(self, seconds_per_event: float) -> None:
        """Slow motion: the wait at the events of `slow_motion.waits_at`, in seconds; 0 for full speed."""
        with self._changed:
            self._pace = seconds_per_event
            self._changed.notify_all()

    def stop(self, reason: str = "") -> None:
        """Asks the run to end at its next step. A session that never began ends immediately.

        `reason` is one sentence for its viewers, if the viewers did not ask for the stop.
        """
        with self._changed:
            self._stop_asked = True
            self._stop_reason = self._stop_reason or reason
            if self._state == "idle":
                if reason:
                    self._publish(Note(message=reason, **self._audience.position()))
                self._state = "stopped"
            self._stop_source()
            self._changed.notify_all()

    def join(self, timeout: float | None = None) -> bool:
        """Waits for the end. Returns whether the run ended within `timeout` seconds."""
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return self._state in ENDED

    @property
    def is_stuck(self) -> bool:
        """Whether the run was given up but its thread still exists. The thread exists until the source returns."""
        return self._given_up and self._thread is not None and self._thread.is_alive()

    @property
    def stuck_seconds(self) -> float:
        """The seconds that the source has worked on its next event."""
        since = self._working_since
        return 0.0 if since is None else self._clock() - since

    @property
    def standing_seconds(self) -> float:
        """The total seconds since the start in which the run did not work: it was paused, between single steps, in slow
        motion, or answering questions."""
        return self._standing.seconds()

    @property
    def is_held(self) -> bool:
        """Whether its owner has paused it or slowed it down."""
        return self._state == "paused" or self._step_to is not None or self._pace > 0

    def give_up(self, message: str) -> None:
        """Ends a run whose source does not return: failed with `message`, even if its thread still works."""
        with self._changed:
            if self._state not in ("running", "paused"):
                return
            self._fail(message)
            self._state = "failed"
            self._given_up = True
            self._stop_source()
            left = self._questions.take()
            self._changed.notify_all()
        for question in left:
            question.refuse()

    def keep_alive(self) -> None:
        """Reports a viewer: the grace period starts again."""
        self._seen = self._clock()

    def subscribe(self, capacity: int = 256) -> Subscriber:
        """An inbox that begins with the snapshot, then gets every event."""
        return self._audience.join(capacity)

    def ask(self, call: Callable[[Opened], Answer]) -> Future[Answer]:
        """Calls `call` with the source between two events, so that `call` can read or change it safely.

        This also works while the run is paused, and after its end. The future raises the error of the call. It raises
        ConfigError for a run that has not begun or could not begin.
        """
        question: Question[Opened, Answer] = Question(call)
        with self._changed:
            if self._state in ("running", "paused"):
                self._questions.put(question)
                return question.future
            if self._given_up:
                question.refuse()
                return question.future
        self._questions.answer(question)
        return question.future

    def call_now(self, call: Callable[[Opened], Answer]) -> Answer | None:
        """Calls `call` with the source immediately, in this thread. `call` must be safe while the source works.

        Returns None if there is no source: not yet, or no longer.
        """
        source = self._questions.source
        return None if source is None else call(source)

    def release(self) -> None:
        """Frees the memory of an ended run. Its events stay available."""
        with self._changed:
            if self._state in ENDED:
                self._questions.source = None

    def snapshot(self) -> list[Event]:
        """The events that a late subscriber needs: the beginning, every measurement, the newest rounds and steps."""
        return self._audience.snapshot()

    # --- the worker ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        end: State = "failed"
        events: Iterator[Event] = iter(())
        try:
            self._working_since = self._clock()
            self._questions.source = self._open()
            self._working_since = None
            events = self._questions.source.events()
            end = self._drive(events)
        except BaseException as error:  # includes errors that usually end a process: here they end only this run
            self._fail(sentence(error))
        finally:
            self._working_since = None
            close(events)
            with self._changed:
                if self._state not in ENDED:
                    self._state = end
                self._changed.notify_all()
            self._questions.answer_waiting()
            if self._on_end is not None:
                self._on_end(self)

    def _drive(self, events: Iterator[Event]) -> State:
        while self._may_go_on() or self._has_finished_event():
            with self._questions.source_lock, self._cores.share() if self._cores else nullcontext():
                self._working_since = self._clock()
                try:
                    event = next(events, None)
                except Stopped:
                    break
                finally:
                    self._working_since = None
            if event is None:
                return "finished"
            if not isinstance(event, Event):
                raise TypeError(f"{type(event).__name__} is not an event")
            self._publish(event)
            self._wait_after(event)
        if self._stop_reason:
            self._publish(Note(message=self._stop_reason, **self._audience.position()))
        self._publish(RunFinished(reason="stopped", **self._audience.position()))
        return "stopped"

    def _has_finished_event(self) -> bool:
        """Whether the newest event is a run's last one. Then the session is over, or the next run of a lab begins."""
        return not self._given_up and isinstance(self._audience.last, RunFinished)

    def _may_go_on(self) -> bool:
        """Answers the questions and waits while paused. Returns False if the run must stop."""
        with self._standing:
            while True:
                self._questions.answer_waiting()
                with self._changed:
                    if self._stop_asked or self._given_up or self._abandoned():
                        return False
                    if self._state != "paused":
                        return True
                    if not self._questions.waiting:
                        self._changed.wait(1.0)

    def _abandoned(self) -> bool:
        return self._grace is not None and self._clock() - self._seen > self._grace

    def _wait_after(self, event: Event) -> None:
        """Pauses after an event if it ends the requested step, and waits if in slow motion."""
        with self._changed:
            if self._given_up:
                return
            if self._step_to is not None and isinstance(event, STEPS[self._step_to]):
                self._step_to = None
                self._state = "paused"
                return
            until = time.monotonic() + (self._pace if waits_at(event) else 0.0)
        with self._standing:
            while (left := until - time.monotonic()) > 0:
                self._questions.answer_waiting()
                with self._changed:
                    if self._state != "running" or not self._pace or self._stop_asked or self._step_to is not None:
                        return
                    if not self._questions.waiting:
                        self._changed.wait(left)

    def _publish(self, event: Event) -> None:
        with self._changed:
            if self._given_up:
                return
            self._audience.publish(event)
        if self._on_event is not None:
            self._on_event(event)

    def _stop_source(self) -> None:
        source = self._questions.source  # None while it is being opened; `_may_go_on` checks before its first step
        if source is not None:
            source.stop()

    def _fail(self, message: str) -> None:
        with self._changed:
            if self._given_up:
                return
            self.error = message
            self._publish(RunFailed(message=message, **self._audience.position()))

    def _move(self, before: State, after: State) -> None:
        with self._changed:
            if self._state == before:
                self._state = after
                self._step_to = None
                self._changed.notify_all()
