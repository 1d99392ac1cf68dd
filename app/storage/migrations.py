"""Opens the history's database, migrates it, and moves a damaged one aside."""

from __future__ import annotations

import contextlib
import sqlite3
from itertools import count
from pathlib import Path

from nayer.errors import StorageError

NAME = "runs.sqlite3"
WAL = f"{NAME}-wal"  # the write-ahead log
# The steps from each version to the next; PRAGMA user_version counts the finished steps.
STEPS = (
    """
    CREATE TABLE run (
        number INTEGER PRIMARY KEY,          -- in the order of their starts
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,                 -- SHA-256 of the visitor's token
        plan TEXT NOT NULL,                  -- JSON
        state TEXT NOT NULL,                 -- running, interrupted, or how it ended
        error TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX run_owner ON run (owner);
    CREATE TABLE event (
        run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        arm INTEGER NOT NULL,
        round INTEGER NOT NULL,
        kind TEXT NOT NULL,
        body BLOB NOT NULL,                  -- nayer.exports.event_codec
        PRIMARY KEY (run, seq)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE file (
        run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
        kind TEXT NOT NULL,                  -- checkpoint, or student and the arm's number
        name TEXT NOT NULL,                  -- of the file, in the folder `files`
        sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        round INTEGER NOT NULL,              -- the next one at the time
        PRIMARY KEY (run, kind)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE run ADD COLUMN name TEXT NOT NULL DEFAULT '';    -- by its visitor
    ALTER TABLE run ADD COLUMN notes TEXT NOT NULL DEFAULT '';
    ALTER TABLE run ADD COLUMN began REAL NOT NULL DEFAULT 0;    -- seconds since 1970, 0 where it is not known
    """,
    """
    ALTER TABLE run ADD COLUMN lane TEXT NOT NULL DEFAULT '';    -- of the visitor's address, '' where it is not known
    """,
    """
    UPDATE event SET kind = 'RoundSynthesized' WHERE kind = 'RoundSynthesised';    -- its name before version 5
    """,
)


class NewerHistory(StorageError):
    """A newer version wrote the database."""


def is_full(error: BaseException) -> bool:
    """Whether an error of SQLite means a full disk. The low byte of its code is the primary one: sqlite.org/rescode."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF == sqlite3.SQLITE_FULL


def is_damage(error: BaseException) -> bool:
    """Whether SQLite reports a damaged file or no database. It uses exactly this class for them, not a subclass."""
    return type(error) is sqlite3.DatabaseError


def opened(path: Path, *, network: bool) -> tuple[sqlite3.Connection, bool]:
    """A connection for this process alone, and whether a damaged database had to be moved aside for it.

    Write-ahead logging loses no committed data if the process is killed, but it needs memory shared with the file:
    on `network` storage a rollback journal and an exclusive lock take its place (sqlite.org/wal.html).
    Raises NewerHistory for a newer version's database, and sqlite3.Error or OSError if it cannot be written.
    """
    try:
        return _connected(path, network), False
    except sqlite3.DatabaseError as error:
        if not is_damage(error):  # the disk's fault, not the file's
            raise
        _move_aside(path)
        return _connected(path, network), True


def _connected(path: Path, network: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(STEPS):
            raise NewerHistory("a newer version wrote it; use another folder, or the newer version.")
        (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if sound != "ok" or (version == 0 and tables):
            raise sqlite3.DatabaseError("damaged, or no history")
        if network:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute(f"PRAGMA journal_mode = {'DELETE' if network else 'WAL'}")
        connection.execute("PRAGMA synchronous = FULL")  # a commit outlasts a power cut too
        connection.execute("PRAGMA journal_size_limit = 16777216")  # bytes
        connection.execute("PRAGMA foreign_keys = ON")
        for done, step in enumerate(STEPS[version:], version + 1):
            connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {done}; COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def reader(path: Path) -> sqlite3.Connection:
    """A second, read-only connection beside one with a write-ahead log. It never waits for the first one."""
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _move_aside(path: Path) -> None:
    number = next(n for n in count(1) if not path.with_name(f"{path.name}.damaged-{n}").exists())
    for suffix in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            damaged = path.with_name(path.name + suffix)
            damaged.rename(path.with_name(f"{path.name}.damaged-{number}{suffix}"))
