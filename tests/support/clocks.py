"""A clock that a test turns."""

from __future__ import annotations


class Clock:
    """It stands still; a test sets `now`, in seconds."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
