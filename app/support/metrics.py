"""Counts since the start of the server. They contain no data of any visitor."""

from __future__ import annotations

import threading
from collections import Counter

REFUSALS = {  # status -> why, as a person reads it
    400: "unknown host name, or invalid JSON",
    403: "request from another site",
    404: "unknown address",
    405: "unknown address",
    413: "too long",
    414: "too long",
    422: "invalid value",
    429: "too many requests or ids from one address",
    503: "too many requests at once",
}
FULL = "queue is full"
FAULTS = "server errors"


class Counters:
    """Counts by name, in two groups. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()

    def run(self, what: str) -> None:
        """Counts a run that was requested, or that ended in that state."""
        with self._lock:
            self._runs[what] += 1

    def refused(self, why: str) -> None:
        """Counts a refusal by its kind."""
        with self._lock:
            self._refused[why] += 1

    def answered(self, status: int) -> None:
        """Counts an HTTP status: for a refusal its reason; 500 is an error of the server."""
        if status >= 400:
            self.refused(REFUSALS.get(status, FAULTS if status >= 500 else "otherwise"))

    def runs(self) -> dict[str, int]:
        """The counts of runs, by request or end state."""
        with self._lock:
            return dict(self._runs)

    def refusals(self) -> dict[str, int]:
        """Refusals by their kind."""
        with self._lock:
            return dict(self._refused)
