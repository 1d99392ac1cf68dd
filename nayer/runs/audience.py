"""Everybody who watches a run: each event goes to all, and whoever joins late begins with what they must have."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from nayer.events import Event
from nayer.runs.history import History
from nayer.runs.inbox import Subscriber


class Broadcaster:
    """For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._history = History()
        self._inboxes: list[Subscriber] = []

    @property
    def last(self) -> Event | None:
        """The newest event."""
        return self._history.last

    def here(self) -> dict[str, Any]:
        """Where and when the newest event was."""
        last = self.last
        if last is None:
            return {"round": 0, "seconds": 0.0, "arm": 0}
        return {"round": last.round, "seconds": last.seconds, "arm": last.arm}

    def recall(self, events: Iterable[Event]) -> None:
        """What happened before, for those who join from now on."""
        with self._lock:
            for event in events:
                self._history.add(event)

    def tell(self, event: Event) -> None:
        with self._lock:
            self._history.add(event)
            self._inboxes = [inbox for inbox in self._inboxes if not inbox.closed]
            for inbox in self._inboxes:
                inbox.put(event)

    def join(self, capacity: int) -> Subscriber:
        """An inbox that begins with the snapshot, then gets every event."""
        inbox = Subscriber(capacity)
        with self._lock:
            for event in self._history.events():
                inbox.put(event)
            self._inboxes.append(inbox)
        return inbox

    def snapshot(self) -> list[Event]:
        """What someone who joins late must have: how it began, every measurement, the newest rounds and steps."""
        with self._lock:
            return self._history.events()
