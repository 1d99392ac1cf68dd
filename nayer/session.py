"""A run in a worker thread, for many viewers: start, pause, step, slow motion, stop.

Pausing is not calling next(), so it cannot change a result. The states are closed:
idle → running ⇄ paused → finished | stopped | failed.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Literal

from nayer.errors import NayerError
from nayer.events import (
    Evaluated,
    Event,
    GeneratorStep,
    LayerRedrawn,
    Note,
    RoundFinished,
    RoundSynthesised,
    RunFailed,
    RunFinished,
    RunStarted,
    StudentStep,
)

log = logging.getLogger(__name__)

State = Literal["idle", "running", "paused", "finished", "stopped", "failed"]
ENDED: frozenset[State] = frozenset({"finished", "stopped", "failed"})
StepKind = Literal["redraw", "generator", "student", "round"]
STEPS: dict[StepKind, type[Event]] = {
    "redraw": LayerRedrawn,
    "generator": GeneratorStep,
    "student": StudentStep,
    "round": RoundFinished,
}
PACED = (LayerRedrawn, GeneratorStep, RoundSynthesised, StudentStep, Evaluated)  # what slow motion lingers on
SNAPSHOT_ROUNDS = 12  # newest rounds, with their images, that a late joiner gets
ABANDONED_SECONDS = 60.0  # an inbox that nobody drained for so long is closed


class Inbox:
    """One viewer's events, bounded: when it is full the oldest droppable event makes room."""

    def __init__(self, capacity: int) -> None:
        self.dropped = 0  # events this viewer missed
        self.closed = False
        self._capacity = capacity
        self._events: deque[Event] = deque()
        self._lock = threading.Lock()
        self._drained = time.monotonic()

    def drain(self) -> list[Event]:
        """Everything since the last call, oldest first."""
        with self._lock:
            self._drained = time.monotonic()
            events, self._events = list(self._events), deque()
            return events

    def close(self) -> None:
        with self._lock:
            self.closed = True
            self._events.clear()

    def put(self, event: Event) -> None:
        with self._lock:
            if self.closed:
                return
            if len(self._events) >= self._capacity:
                if time.monotonic() - self._drained > ABANDONED_SECONDS:
                    self.closed = True
                    self._events.clear()
                    return
                self._drop_oldest()
            self._events.append(event)

    def _drop_oldest(self) -> None:
        oldest = next((event for event in self._events if event.droppable), None)
        if oldest is not None:  # rare events stay: there are few of them in a minute
            self._events.remove(oldest)
            self.dropped += 1


class Session:
    """Runs one event source in a thread of its own; every method may be called from any thread, in any state."""

    def __init__(
        self,
        source: Callable[[], Iterator[Event]],
        *,
        grace_seconds: float | None = None,
        on_end: Callable[[Session], None] | None = None,
    ) -> None:
        """`source` loads the run and gives its events, in the worker thread. A session with a grace ends itself
        that long after the last `keep_alive`. `on_end` is called once, in the worker thread, however the run ends."""
        self._source = source
        self._grace = grace_seconds
        self._on_end = on_end
        self._changed = threading.Condition()
        self._state: State = "idle"
        self._step_to: StepKind | None = None
        self._pace = 0.0
        self._stop_asked = False
        self._seen = time.monotonic()
        self._inboxes: list[Inbox] = []
        self._history = _History()
        self._thread: threading.Thread | None = None
        self.error = ""  # one sentence, once the state is failed

    @property
    def state(self) -> State:
        return self._state

    def start(self, paused: bool = False) -> None:
        """Begins the run, or nothing if it has begun; `paused` waits before the first event."""
        with self._changed:
            if self._state != "idle":
                return
            self._state = "paused" if paused else "running"
            self._seen = time.monotonic()
            self._thread = threading.Thread(target=self._work, name="nayer-session", daemon=True)
            self._thread.start()

    def pause(self) -> None:
        self._move("running", "paused")

    def resume(self) -> None:
        self._move("paused", "running")

    def step(self, kind: StepKind) -> None:
        """Runs until the next event of this kind, then pauses."""
        with self._changed:
            if self._state in ("running", "paused"):
                self._state = "running"
                self._step_to = kind
                self._changed.notify_all()

    def set_pace(self, seconds_per_event: float) -> None:
        """Slow motion: how long each part of a round is lingered on; 0 for full speed."""
        with self._changed:
            self._pace = seconds_per_event
            self._changed.notify_all()

    def stop(self) -> None:
        """Asks the run to end at its next event; a session that never began ends at once."""
        with self._changed:
            self._stop_asked = True
            if self._state == "idle":
                self._state = "stopped"
            self._changed.notify_all()

    def join(self, timeout: float | None = None) -> bool:
        """Waits for the end; whether it came within `timeout` seconds."""
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return self._state in ENDED

    def keep_alive(self) -> None:
        """Someone is watching: the grace begins anew."""
        self._seen = time.monotonic()

    def subscribe(self, capacity: int = 256) -> Inbox:
        """An inbox that begins with the snapshot, then gets every event."""
        inbox = Inbox(capacity)
        with self._changed:
            for event in self._history.events():
                inbox.put(event)
            self._inboxes.append(inbox)
        return inbox

    def snapshot(self) -> list[Event]:
        """What someone who joins late must have: how it began, every measurement, the newest rounds and steps."""
        with self._changed:
            return self._history.events()

    # --- the worker ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        end: State = "failed"
        events: Iterator[Event] = iter(())
        try:
            events = self._source()
            end = self._drive(events)
        except NayerError as error:
            self._fail(str(error))
        except MemoryError:
            self._fail("The machine ran out of memory for this run; try a smaller synthesis_batch or generator_width.")
        except Exception:
            number = secrets.token_hex(4)
            log.exception("run failed, error %s", number)
            self._fail(f"The run stopped on an unexpected error (number {number} in the log); other runs go on.")
        finally:
            if isinstance(events, Generator):
                events.close()
            with self._changed:
                self._state = end
                self._changed.notify_all()
            if self._on_end is not None:
                self._on_end(self)

    def _drive(self, events: Iterator[Event]) -> State:
        while self._may_go_on():
            event = next(events, None)
            if event is None:
                return "finished"
            self._publish(event)
            self._linger(event)
        last = self._history.last
        self._publish(
            RunFinished(round=last.round if last else 0, seconds=last.seconds if last else 0.0, reason="stopped")
        )
        return "stopped"

    def _may_go_on(self) -> bool:
        """Waits while paused; False once the run is to stop."""
        with self._changed:
            while self._state == "paused" and not self._stop_asked and not self._abandoned():
                self._changed.wait(1.0)
            return not (self._stop_asked or self._abandoned())

    def _abandoned(self) -> bool:
        return self._grace is not None and time.monotonic() - self._seen > self._grace

    def _linger(self, event: Event) -> None:
        """After an event: pause if this was the step asked for, wait if in slow motion."""
        with self._changed:
            if self._step_to is not None and isinstance(event, STEPS[self._step_to]):
                self._step_to = None
                self._state = "paused"
            elif self._pace and isinstance(event, PACED) and self._step_to is None:
                until = time.monotonic() + self._pace
                while self._state == "running" and self._pace and not self._stop_asked:
                    left = until - time.monotonic()
                    if left <= 0 or self._step_to is not None:
                        break
                    self._changed.wait(left)

    def _publish(self, event: Event) -> None:
        with self._changed:
            self._history.add(event)
            self._inboxes = [inbox for inbox in self._inboxes if not inbox.closed]
            for inbox in self._inboxes:
                inbox.put(event)

    def _fail(self, message: str) -> None:
        self.error = message
        last = self._history.last
        self._publish(
            RunFailed(round=last.round if last else 0, seconds=last.seconds if last else 0.0, message=message)
        )

    def _move(self, before: State, after: State) -> None:
        with self._changed:
            if self._state == before:
                self._state = after
                self._step_to = None
                self._changed.notify_all()


class _History:
    """The events a late joiner needs, in the order they came."""

    def __init__(self) -> None:
        self.last: Event | None = None
        self._count = 0
        self._small: list[tuple[int, Event]] = []  # all of them: they carry a few numbers each
        self._rounds: deque[tuple[int, Event]] = deque(maxlen=SNAPSHOT_ROUNDS)
        self._newest: dict[type[Event], tuple[int, Event]] = {}

    def add(self, event: Event) -> None:
        self.last = event
        entry = (self._count, event)
        self._count += 1
        if isinstance(event, (RunStarted, Note, Evaluated, RunFinished, RunFailed)):
            self._small.append(entry)
        elif isinstance(event, (RoundSynthesised, LayerRedrawn)):
            self._rounds.append(entry)
        else:
            self._newest[type(event)] = entry

    def events(self) -> list[Event]:
        entries = [*self._small, *self._rounds, *self._newest.values()]
        return [event for _, event in sorted(entries, key=lambda entry: entry[0])]
