"""The limit of the history, and the choice of runs to remove above it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

RUNS = 500
MEGABYTES = 1000
AT_ONCE = 100  # runs removed in one transaction
# How many runs are kept, and the bytes of their files and of the database's pages that are in use.
KEPT = (
    "SELECT (SELECT count(*) FROM run), "
    "(SELECT coalesce(sum(bytes), 0) FROM file) + (page_count - freelist_count) * page_size "
    "FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)


@dataclass(frozen=True, slots=True)
class Quota:
    """The limit of the history; an active run is kept even above it."""

    runs: int
    bytes: int

    def prune(self, connection: sqlite3.Connection) -> tuple[set[str], bool]:
        """Removes the oldest ended runs until the history is within the quota.

        Returns the names of their files, and whether more runs may have to go. It removes at most `AT_ONCE` runs at a
        time, so that a history far above the quota delays other changes only for a moment.
        """
        names: set[str] = set()
        for _ in range(AT_ONCE):
            if not self._exceeded(connection):
                return names, False
            oldest = connection.execute(
                "SELECT number FROM run WHERE state != 'running' ORDER BY number LIMIT 1"
            ).fetchone()
            if oldest is None:
                return names, False
            names.update(row[0] for row in connection.execute("SELECT name FROM file WHERE run = ?", oldest))
            connection.execute("DELETE FROM run WHERE number = ?", oldest)
        return names, True

    def _exceeded(self, connection: sqlite3.Connection) -> bool:
        runs, kept = connection.execute(KEPT).fetchone()
        return bool(runs > self.runs or kept > self.bytes)
