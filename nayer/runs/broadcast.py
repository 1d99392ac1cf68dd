"""Sends each event of a run to all subscribers. A late subscriber begins with a snapshot."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from nayer.common.thinning import thin_out
from nayer.events import (
    DiversityMeasured,
    Evaluated,
    Event,
    ImagesTested,
    LayerRedrawn,
    Note,
    PolicyChanged,
    RoundSynthesized,
    RunFailed,
    RunFinished,
    RunStarted,
    StudentAnswered,
)
from nayer.exports.recording import ANSWERS

SHOWN = 12  # newest re-draws and batches of an arm, with their images
EVALUATED = 1200  # evaluations of an arm with one seed: as many as a chart shows; older ones become sparser
NOTED = 200  # newest notes of a run, and newest changes of an arm: as many as a page shows
MEASURED = 600  # newest diversities of an arm: each has a few numbers for each class


class History:
    """The events of a run, or of all arms of a lab, in the order they came."""

    def __init__(self) -> None:
        self.last: Event | None = None
        self._count = 0
        self._ends: list[tuple[int, Event]] = []  # of each arm with each seed: the beginning and the end
        self._noted: defaultdict[int, deque[tuple[int, Event]]] = defaultdict(lambda: deque(maxlen=NOTED))
        self._evaluated: defaultdict[tuple[int, int], list[tuple[int, Event]]] = defaultdict(list)  # by arm and start
        self._starts: Counter[int] = Counter()  # by arm
        self._shown: defaultdict[int, deque[tuple[int, Event]]] = defaultdict(lambda: deque(maxlen=SHOWN))
        self._measured: defaultdict[int, deque[tuple[int, Event]]] = defaultdict(lambda: deque(maxlen=MEASURED))
        self._answers: defaultdict[int, list[tuple[int, Event]]] = defaultdict(list)
        self._newest: dict[tuple[int, type[Event]], tuple[int, Event]] = {}

    def add(self, event: Event) -> None:
        """Keeps beginnings and ends, a bounded number of measurements, and the newest of every other kind."""
        self.last = event
        entry = (self._count, event)
        self._count += 1
        if isinstance(event, (RunStarted, RunFinished, RunFailed)):
            self._ends.append(entry)
            self._starts[event.arm] += isinstance(event, RunStarted)
        elif isinstance(event, (Note, PolicyChanged)):
            self._noted[event.arm].append(entry)
        elif isinstance(event, Evaluated):
            run = event.arm, self._starts[event.arm]
            self._evaluated[run] = thin_out([*self._evaluated[run], entry], EVALUATED)
        elif isinstance(event, (RoundSynthesized, LayerRedrawn)):
            self._shown[event.arm].append(entry)
        elif isinstance(event, DiversityMeasured):
            self._measured[event.arm].append(entry)
        elif isinstance(event, StudentAnswered):
            self._answers[event.arm] = thin_out([*self._answers[event.arm], entry], ANSWERS)
        else:
            self._newest[event.arm, type(event)] = entry

    def events(self) -> list[Event]:
        """The kept events, in order."""
        kept = [
            *self._shown.values(),
            *self._measured.values(),
            *self._answers.values(),
            *self._noted.values(),
            *self._evaluated.values(),
        ]
        entries = [*self._ends, *(entry for entries in kept for entry in entries), *self._newest.values()]
        return [event for _, event in sorted(entries, key=lambda entry: entry[0])]


BYTES = 16 << 20  # of waiting images and tables
ABANDONED_SECONDS = 60.0  # an inbox is closed if nobody drains it for this time


class Subscriber:
    """One viewer's events, with a limit. If it is full, it drops the oldest droppable event. If images need too many
    bytes, it drops the oldest event with images."""

    def __init__(self, capacity: int, begun: Sequence[Event] = ()) -> None:
        """`begun`: the snapshot. It may be longer than `capacity`, but its images count."""
        self.dropped = 0  # events this viewer missed
        self.closed = False
        self._capacity = capacity
        self._events: deque[Event] = deque(begun)
        self._droppable = sum(event.droppable for event in begun)
        self._bytes = sum(map(_weight, begun))
        self._make_room()
        self._lock = threading.Lock()
        self._drained = time.monotonic()

    def drain(self) -> list[Event]:
        """Everything since the last call, oldest first."""
        with self._lock:
            self._drained = time.monotonic()
            events, self._events, self._bytes, self._droppable = list(self._events), deque(), 0, 0
            return events

    def close(self) -> None:
        """Ends the inbox: it gets no more events."""
        with self._lock:
            self.closed = True
            self._events.clear()

    def put(self, event: Event) -> None:
        """Adds the event, or drops one if too many wait."""
        with self._lock:
            if self.closed:
                return
            if len(self._events) >= self._capacity:
                if time.monotonic() - self._drained > ABANDONED_SECONDS:
                    self.closed = True
                    self._events.clear()
                    return
                if self._droppable:  # the others stay, and nobody searches among them
                    self._drop(lambda event: event.droppable)
            self._events.append(event)
            self._droppable += event.droppable
            self._bytes += _weight(event)
            self._make_room()

    def _make_room(self) -> None:
        while self._bytes > BYTES:
            self._drop(_weight)

    def _drop(self, which: Callable[[Event], object]) -> None:
        """Drops the oldest event for which `which` is true, if there is one."""
        for place, event in enumerate(self._events):
            if which(event):
                del self._events[place]
                self._bytes -= _weight(event)
                self._droppable -= event.droppable
                self.dropped += 1
                return


def _weight(event: Event) -> int:
    """Bytes of an event's arrays; 0 if the event must not be dropped."""
    if isinstance(event, (RunStarted, ImagesTested)):
        return 0
    values = (getattr(event, field.name) for field in dataclasses.fields(event))
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


class Broadcaster:
    """Sends events to all subscribers. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._history = History()
        self._inboxes: list[Subscriber] = []

    @property
    def last(self) -> Event | None:
        """The newest event."""
        return self._history.last

    def position(self) -> dict[str, Any]:
        """The place and time of the newest event in the run."""
        last = self.last
        if last is None:
            return {"round": 0, "seconds": 0.0, "arm": 0}
        return {"round": last.round, "seconds": last.seconds, "arm": last.arm}

    def restore_events(self, events: Iterable[Event]) -> None:
        """Adds earlier events, for subscribers who join later."""
        with self._lock:
            for event in events:
                self._history.add(event)

    def publish(self, event: Event) -> None:
        """Hands the event to every subscriber."""
        with self._lock:
            self._history.add(event)
            self._inboxes = [inbox for inbox in self._inboxes if not inbox.closed]
            for inbox in self._inboxes:
                inbox.put(event)

    def join(self, capacity: int) -> Subscriber:
        """An inbox that begins with the snapshot, then gets every event."""
        with self._lock:
            inbox = Subscriber(capacity, self._history.events())
            self._inboxes.append(inbox)
        return inbox

    def snapshot(self) -> list[Event]:
        """The events that a late subscriber needs: the beginning, every measurement, the newest rounds and steps."""
        with self._lock:
            return self._history.events()
