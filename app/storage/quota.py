"""The limit of the history, and the choice of runs to remove above it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

RUNS = 500
MEGABYTES = 1000
# The oldest ended run of the address that has the most of what there is too much of: runs, or bytes. The pages of the
# database count for all runs alike.
NEXT = """
SELECT number FROM run WHERE state != 'running' AND lane = (
    SELECT lane FROM run LEFT JOIN (SELECT run, sum(bytes) AS bytes FROM file GROUP BY run) ON run = number
    WHERE state != 'running' GROUP BY lane
    ORDER BY sum(iif(:runs, 1, coalesce(bytes, 0) + :each)) DESC, min(number) LIMIT 1
) ORDER BY number LIMIT 1
"""
AT_ONCE = 100  # runs removed in one transaction
# How many runs are kept, the bytes of their files, and those of the database's pages that are in use.
KEPT = (
    "SELECT (SELECT count(*) FROM run), "
    "(SELECT coalesce(sum(bytes), 0) FROM file), (page_count - freelist_count) * page_size "
    "FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)


@dataclass(frozen=True, slots=True)
class Quota:
    """The limit of the history; an active run is kept even above it.

    An address that starts run after run removes its own runs, and nobody else's.
    """

    runs: int
    bytes: int

    def prune(self, connection: sqlite3.Connection) -> tuple[set[str], bool]:
        """Removes ended runs until the history is within the quota: each time the oldest of the address with the most.

        Returns the names of their files, and whether more runs may have to go. It removes at most `AT_ONCE` runs at a
        time, so that a history far above the quota delays other changes only for a moment.
        """
        names: set[str] = set()
        for _ in range(AT_ONCE):
            runs, files, pages = connection.execute(KEPT).fetchone()
            if runs <= self.runs and files + pages <= self.bytes:
                return names, False
            facts = {"runs": runs > self.runs, "each": pages // max(1, runs)}
            oldest = connection.execute(NEXT, facts).fetchone()
            if oldest is None:
                return names, False
            names.update(row[0] for row in connection.execute("SELECT name FROM file WHERE run = ?", oldest))
            connection.execute("DELETE FROM run WHERE number = ?", oldest)
        return names, True
