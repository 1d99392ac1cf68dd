"""The history: runs, their events, their students and checkpoints, in a folder that outlives the process."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.content import messages
from app.storage import migrations
from app.storage.pending_writes import Write
from app.storage.quota import KEPT, MEGABYTES, RUNS, Quota
from app.storage.recovery import FILES, NoFolder, OpenFolder, open_folder
from app.storage.run_files import RunFiles
from app.storage.write_queue import Writer, is_full
from app.support.event_log import log_name
from nayer.errors import StorageError
from nayer.events import Event
from nayer.exports.event_codec import pack, unpack
from nayer.runs.session import ENDED, State

log = logging.getLogger(__name__)
SAMPLES = 60  # newest rounds of an arm whose images are kept: a run of the usual length can be replayed completely
_HEAVY = "RoundSynthesized"  # the kind of event that carries images
_COLUMNS = "id, owner, plan, state, error, name, notes, began"
_RUN = "(SELECT number FROM run WHERE id = ?)"


@dataclass(frozen=True, slots=True)
class Stored:
    """A run in the history."""

    id: str
    owner: str  # SHA-256 of the token
    plan: str  # JSON
    state: str
    error: str
    name: str = ""
    notes: str = ""
    began: float = 0.0  # seconds since 1970, 0 where it is not known

    @property
    def end(self) -> State:
        """How it ended; `interrupted` for a run that an earlier process left."""
        return next((state for state in ENDED if state == self.state), "interrupted")


class Store:
    """Writes go through one thread and are soon on the disk; `flush` waits until they are. For any thread."""

    def __init__(self, folder: Path, *, network: bool = False, runs: int = RUNS, megabytes: float = MEGABYTES) -> None:
        """Takes the folder for this process, marks cut-off runs `interrupted`, and removes incomplete files.

        Raises NoFolder, whose message is a sentence for the page.
        """
        self.note = ""  # a sentence about the fate of the earlier history
        self._quota = Quota(runs, int(megabytes * 1e6))
        self._key = secrets.token_bytes(32)
        self._folder = folder
        self._network = network
        self._files = RunFiles(folder / FILES)
        self._read_error = ""
        try:
            self.writer = Writer(self._take)
        except NoFolder as error:
            log.warning("history: the data folder cannot be used (%s)", error.__cause__ or error)
            raise

    @property
    def trouble(self) -> str:
        """The reason why some data is only in memory, in one sentence; empty while all data is on the disk."""
        error = self.writer.trouble
        if isinstance(error, NoFolder):
            return str(error)
        if error is not None:
            return messages.KEPT_FULL if is_full(error) else messages.KEPT_FAILING
        late = self.writer.file_error
        if late is not None:
            return messages.KEPT_WITHOUT_FILES if is_full(late) else messages.KEPT_FAILING
        return ""

    @property
    def sentence(self) -> str:
        """The page's sentence about storage; empty while all is well."""
        return self.trouble or self.note

    # --- writing -------------------------------------------------------------------------------------------------

    def begin(self, run: str, owner: str, plan: str, address: str = "") -> None:
        """Adds a new run, or a continued run that may be missing; `owner` is the hash of a token.

        `address`: of its visitor, for the quota. It is stored as a hash with a key that only this process has.
        """
        self._put(
            run,
            "INSERT INTO run (id, owner, plan, state, began, lane) VALUES (?, ?, ?, 'running', ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET state = 'running', error = ''",
            run,
            owner,
            plan,
            datetime.now(UTC).timestamp(),
            hmac.new(self._key, address.encode(), "sha256").hexdigest()[:16] if address else "",
        )
        self._put_pruning()

    def replace_events(self, run: str, events: Iterable[Event]) -> None:
        """Replaces the stored events of the run with all its known events."""
        self._put(run, f"DELETE FROM event WHERE run = {_RUN}", run)
        self.add(run, 0, events)

    def add(self, run: str, seq: int, events: Iterable[Event]) -> None:
        """Adds events in their order; the first one has the number `seq` in the run."""
        rows = [
            (number, event.arm, event.round, type(event).__name__, pack(event), run)
            for number, event in enumerate(events, seq)
        ]

        def apply(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR REPLACE INTO event SELECT number, ?, ?, ?, ?, ? FROM run WHERE id = ?", rows
            )
            for arm, round_ in {(row[1], row[2]) for row in rows if row[3] == _HEAVY}:
                connection.execute(
                    f"DELETE FROM event WHERE run = {_RUN} AND arm = ? AND round <= ? AND kind = ?",
                    (run, arm, round_ - SAMPLES, _HEAVY),
                )

        self.writer.put(Write(apply, run, size=sum(len(row[4]) for row in rows)))

    def end(self, run: str, state: str, error: str = "") -> None:
        """Notes how the run ended; `error` is one sentence."""
        self._put(run, "UPDATE run SET state = ?, error = ? WHERE id = ?", state, error, run)

    def describe(self, run: str, name: str, notes: str) -> None:
        """Stores the name and the notes that its visitor gave the run."""
        self._put(run, "UPDATE run SET name = ?, notes = ? WHERE id = ?", name, notes, run)

    def remove(self, run: str) -> None:
        """Removes a run completely."""
        removed: set[str] = set()

        def apply(connection: sqlite3.Connection) -> None:
            removed.update(name for (name,) in connection.execute(f"SELECT name FROM file WHERE run = {_RUN}", (run,)))
            connection.execute("DELETE FROM run WHERE id = ?", (run,))

        self.writer.put(Write(apply, run, after=lambda: self._files.remove(removed)))

    def resume(self, run: str, round_: int) -> None:
        """The run continues from that round: the events of this round and later ones are removed."""
        self._put(
            run,
            f"DELETE FROM event WHERE run = {_RUN} AND (round >= ? OR kind IN ('RunFinished', 'RunFailed'))",
            run,
            round_,
        )
        self._put(run, "UPDATE run SET state = 'running', error = '' WHERE id = ?", run)

    def keep(self, run: str, kind: str, content: bytes, round_: int) -> None:
        """Keeps a file of the run; it replaces the one of that kind. The old file stays until the new one is there."""
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"{run}.{kind}.{sha256[:16]}"
        mine: set[str] = set()  # the name, unless the run is gone
        removed: set[str] = set()  # files of runs that must make room for this file

        def apply(connection: sqlite3.Connection) -> None:
            done = connection.execute(
                "INSERT OR REPLACE INTO file SELECT number, ?, ?, ?, ?, ? FROM run WHERE id = ?",
                (kind, name, sha256, len(content), round_, run),
            )
            mine.update({name} if done.rowcount else ())
            removed.update(self._quota.prune(connection)[0])

        def after() -> None:
            self._files.keep_only(run, kind, mine)
            self._files.remove(removed)

        self.writer.put(
            Write(
                apply,
                run,
                prepare=lambda: self._files.write(name, content),
                after=after,
                replaces=(run, kind),
                size=len(content),
            )
        )

    def drop(self, run: str, kind: str) -> None:
        """Removes a file of the run, if there is one."""

        def apply(connection: sqlite3.Connection) -> None:
            connection.execute(f"DELETE FROM file WHERE run = {_RUN} AND kind = ?", (run, kind))

        self.writer.put(Write(apply, run, after=lambda: self._files.keep_only(run, kind, ()), replaces=(run, kind)))

    # --- reading -------------------------------------------------------------------------------------------------

    def find(self, run: str) -> Stored | None:
        """The run of that id; None if it is not kept."""
        rows = self._rows(f"SELECT {_COLUMNS} FROM run WHERE id = ?", run)
        return Stored(*rows[0]) if rows else None

    def mine(self, owner: str, limit: int = 50) -> list[Stored]:
        """The newest runs of the owner whose token has that hash, newest first."""
        rows = self._rows(f"SELECT {_COLUMNS} FROM run WHERE owner = ? ORDER BY number DESC LIMIT ?", owner, limit)
        return [Stored(*row) for row in rows]

    def events(self, run: str) -> list[Event]:
        """The kept events of a run, in order; damaged events are left out."""
        rows = self._rows(f"SELECT body FROM event WHERE run = {_RUN} ORDER BY seq", run)
        return [event for (body,) in rows if (event := _readable(run, body)) is not None]

    def last(self, run: str, kinds: Iterable[str]) -> Event | None:
        """The newest event of the first arm that is of one of these kinds."""
        names = list(kinds)
        query = (
            f"SELECT body FROM event WHERE run = {_RUN} AND arm = 0 AND kind IN ({', '.join('?' * len(names))}) "
            "ORDER BY seq DESC LIMIT 1"
        )
        rows = self._rows(query, run, *names)
        return _readable(run, rows[0][0]) if rows else None

    def next_seq(self, run: str) -> int:
        """The number of the event that comes next."""
        query = f"SELECT coalesce(max(seq) + 1, 0) FROM event WHERE run = {_RUN}"
        rows = self._rows(query, run)
        return int(rows[0][0]) if rows else 0

    def file(self, run: str, kind: str) -> tuple[bytes, int] | None:
        """The content of a file and its round; None if there is no file.

        Raises StorageError if it differs from the written content.
        """
        rows = self._rows(
            f"SELECT name, sha256, bytes, round FROM file WHERE run = {_RUN} AND kind = ?",
            run,
            kind,
        )
        if not rows:
            return None
        name, sha256, size, round_ = rows[0]
        return self._files.read(name, kind, size, sha256), round_

    def size(self) -> tuple[int, float]:
        """(number of kept runs, their megabytes); zeros if the database is unreadable."""
        rows = self._rows(KEPT)
        return (rows[0][0], sum(rows[0][1:]) / 1e6) if rows else (0, 0.0)

    @property
    def quota(self) -> float:
        """Megabytes that may be kept."""
        return self._quota.bytes / 1e6

    def flush(self, seconds: float = 2.0) -> bool:
        """Whether all queued writes are on the disk now."""
        return self.writer.flush(seconds)

    def close(self, seconds: float = 2.0) -> None:
        """Writes the waiting data, within so many seconds, and closes the database."""
        self.writer.close(seconds)

    # --- inside --------------------------------------------------------------------------------------------------

    def _take(self, lost: set[str]) -> OpenFolder:
        folder = open_folder(self._folder, network=self._network)
        if folder.damaged:
            self.note = messages.KEPT_ANEW
        elif lost & {migrations.NAME, FILES}:
            self.note = messages.KEPT_REPLACED
        return folder

    def _put(self, run: str, statement: str, *values: object) -> None:
        self.writer.put(Write(lambda connection: _done(connection, statement, values), run))

    def _put_pruning(self) -> None:
        removed: set[str] = set()
        more = False

        def apply(connection: sqlite3.Connection) -> None:
            nonlocal removed, more
            removed, more = self._quota.prune(connection)

        def after() -> None:
            self._files.remove(removed)
            if more:
                self._put_pruning()

        self.writer.put(Write(apply, after=after, replaces="pruning"))

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            with self.writer.reading() as connection:
                rows = connection.execute(query, values).fetchall()
        except (sqlite3.Error, OSError) as error:
            if str(error) != self._read_error:  # logged once, and not at each look
                log.warning("history: nothing can be read (%s)", error)
            self._read_error = str(error)
            if migrations.is_damage(error):
                self.writer.report_damage()
            return []
        self._read_error = ""
        return rows


def _readable(run: str, body: bytes) -> Event | None:
    try:
        return unpack(body)
    except StorageError as error:
        log.warning("history: run %s: %s", log_name(run), error)
        return None


def _done(connection: sqlite3.Connection, statement: str, values: tuple[object, ...]) -> None:
    connection.execute(statement, values)
