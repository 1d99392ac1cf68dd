"""How much the history may keep, and which runs go once it is more."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

RUNS = 500
MEGABYTES = 1000
# How many runs are kept, and the bytes of their files and of the database's pages that are in use.
KEPT = (
    "SELECT (SELECT count(*) FROM run), "
    "(SELECT coalesce(sum(bytes), 0) FROM file) + (page_count - freelist_count) * page_size "
    "FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)


@dataclass(frozen=True, slots=True)
class Quota:
    """What may be kept; a run that still goes on is kept beyond it."""

    runs: int
    bytes: int

    def prune(self, connection: sqlite3.Connection) -> set[str]:
        """The oldest runs go that have ended, until all that is kept is within the quota; the names of their files."""
        names: set[str] = set()
        while self._exceeded(connection):
            oldest = connection.execute(
                "SELECT number FROM run WHERE state != 'running' ORDER BY number LIMIT 1"
            ).fetchone()
            if oldest is None:
                break
            names.update(row[0] for row in connection.execute("SELECT name FROM file WHERE run = ?", oldest))
            connection.execute("DELETE FROM run WHERE number = ?", oldest)
        return names

    def _exceeded(self, connection: sqlite3.Connection) -> bool:
        runs, kept = connection.execute(KEPT).fetchone()
        return bool(runs > self.runs or kept > self.bytes)
