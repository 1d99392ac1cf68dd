"""What one viewer of a run has not seen yet, bounded."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from nayer.events import Event, RunStarted

BYTES = 16 << 20  # of images and tables that wait
ABANDONED_SECONDS = 60.0  # an inbox that nobody drained for so long is closed


class Subscriber:
    """One viewer's events, bounded: when it is full the oldest droppable event makes room, and where images weigh too
    much the oldest with any."""

    def __init__(self, capacity: int) -> None:
        self.dropped = 0  # events this viewer missed
        self.closed = False
        self._capacity = capacity
        self._events: deque[Event] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._drained = time.monotonic()

    def drain(self) -> list[Event]:
        """Everything since the last call, oldest first."""
        with self._lock:
            self._drained = time.monotonic()
            events, self._events, self._bytes = list(self._events), deque(), 0
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
                self._drop(lambda event: event.droppable)  # rare events stay: there are few of them in a minute
            self._events.append(event)
            self._bytes += _weight(event)
            while self._bytes > BYTES:
                self._drop(_weight)

    def _drop(self, which: Callable[[Event], object]) -> None:
        """The oldest of them, if there is one."""
        for place, event in enumerate(self._events):
            if which(event):
                del self._events[place]
                self._bytes -= _weight(event)
                self.dropped += 1
                return


def _weight(event: Event) -> int:
    """Bytes of an event's arrays; 0 where none of them may be missed."""
    if isinstance(event, RunStarted):
        return 0
    values = (getattr(event, field.name) for field in dataclasses.fields(event))
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))
