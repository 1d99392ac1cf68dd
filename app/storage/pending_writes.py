"""The writes that wait, in their order, bounded in bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

MAX_WRITES = 4000  # writes that wait; then the oldest are given up
MOST_BYTES = 256 << 20  # bytes of these writes


@dataclass(eq=False)
class Write:
    """One change of the history, `apply`, which is part of a transaction.

    `prepare` writes the file of the change, separately, because the file may be too large for the disk. `after` is
    called when the change is on the disk.
    """

    apply: Callable[[sqlite3.Connection], None]
    run: str = ""  # the writes of one run are done in their order
    prepare: Callable[[], None] | None = None
    after: Callable[[], None] | None = None
    replaces: object = None  # it replaces a waiting write with the same key: only the newest one is useful
    size: int = 0  # bytes that it holds in memory
    number: int = 0  # in the order in which they were handed over
    tries: int = 0  # failed tries of `prepare`
    error: Exception | None = None  # error of the latest try
    due: float = 0.0  # when `prepare` is tried again


class Pending:
    """Not safe for threads by itself."""

    def __init__(self) -> None:
        self.rows: list[Write] = []  # also those whose file is written
        self.files: list[Write] = []  # those whose file is still to be written
        self.taken = 0  # writes handed over

    def put(self, write: Write) -> bool:
        """Takes a write; it takes the place of the one it replaces. Returns whether rows were given up for it."""
        for waiting in [one for one in self.all() if write.replaces and one.replaces == write.replaces]:
            if write.prepare is not None:
                write.tries, write.error, write.due = waiting.tries, waiting.error, waiting.due
            self.remove(waiting)
        self.taken += 1
        write.number = self.taken
        (self.files if write.prepare else self.rows).append(write)
        return self._bound()

    def all(self) -> list[Write]:
        """The writes that wait, in their order."""
        return [*self.rows, *self.files]

    def remove(self, write: Write) -> None:
        """Removes a write that is on the disk or given up."""
        for kept in (self.rows, self.files):
            if write in kept:
                kept.remove(write)

    def due(self, now: float) -> list[Write]:
        """The writes whose file may be tried now."""
        return [one for one in self.files if one.due <= now]

    def prepared(self, write: Write) -> None:
        """Notes that the file of a write is written. Does nothing if another write has replaced it."""
        if write in self.files:
            self.files.remove(write)
            write.tries, write.error = 0, None
            self.rows.append(write)

    def unprepare(self) -> None:
        """Files without a row are gone; their writes must write them again."""
        self.files = [one for one in self.rows if one.prepare] + self.files
        self.rows = [one for one in self.rows if not one.prepare]

    def _bound(self) -> bool:
        """Gives up the oldest writes, files first: the earlier checkpoint of a run stays."""
        gap = False
        while len(waiting := self.all()) > MAX_WRITES or sum(one.size for one in waiting) > MOST_BYTES:
            if len(waiting) == 1:
                break
            gap |= not self.files
            self.remove((self.files or self.rows)[0])
        return gap
