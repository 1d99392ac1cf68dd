"""What one viewer of a run has not seen yet, bounded."""

from __future__ import annotations

import threading
import time
from collections import deque

from nayer.events import Event

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
