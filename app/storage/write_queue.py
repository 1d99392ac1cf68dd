"""One thread writes to the database: callers do not wait, and a failed write is tried again, within bounds."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator

from app.storage import migrations
from app.storage.pending_writes import Pending, Write
from app.storage.recovery import OpenFolder
from nayer.errors import DiskFull, StorageError

log = logging.getLogger(__name__)
RETRY_SECONDS = 2.0  # between two tries, and between two looks at the folder
LONGEST_BACK_OFF = 64.0  # seconds between two tries of a file that there is no room for
DAMAGE_CHECK_SECONDS = 60.0  # s between two checks of an unreadable database
BATCH = 200  # writes in one transaction
_DISK = (sqlite3.OperationalError, OSError, StorageError, MemoryError)  # another try may succeed


class FolderGone(StorageError):
    """The data folder, or a file in it, was deleted or replaced while it was open."""


class Writer:
    """Owns the open folder and writes into it. Every method may be called from any thread.

    Rows are committed in their order. Files are written apart, one between two commits: a file
    without room on the disk waits longer after each try, while rows continue. A missing folder is opened again.
    """

    def __init__(self, take: Callable[[set[str]], OpenFolder], clock: Callable[[], float] = time.monotonic) -> None:
        """`take` opens the folder; its argument is the names of the lost files. It passes on the errors of `take`."""
        self.trouble: Exception | None = None  # the reason why no row can be written
        self.commits = 0
        self.on_gap: Callable[[], None] = lambda: None  # called when queued data may be missing; in the writer's thread
        self._take = take
        self._clock = clock
        self._folder: OpenFolder | None = take(set())
        self._lost: set[str] = set()  # names of lost files, to open again
        self._changed = threading.Condition()
        self._pending = Pending()  # under `_changed`
        self._gap = False  # whether rows were given up
        self._damage_reported_at = float("-inf")
        self._may_be_damaged = False
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="nayer-writer", daemon=True)
        self._thread.start()

    def put(self, write: Write) -> None:
        """Queues a write; the thread writes it soon."""
        with self._changed:
            self._gap |= self._pending.put(write)
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Whether all earlier writes are on the disk. It waits up to `seconds`, but not for a failing disk."""
        with self._changed:
            until = self._pending.taken
            self._changed.wait_for(
                lambda: self.trouble or all(one.number > until or one.error for one in self._pending.all()), seconds
            )
            return not self.trouble and all(one.number > until for one in self._pending.all())

    @property
    def file_error(self) -> Exception | None:
        """The error of a file that waits because it could not be written."""
        with self._changed:
            return next((one.error for one in self._pending.files if one.error), None)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading. It waits for a write only on network storage, which has only one connection.

        Raises OSError while the folder is not there.
        """
        while True:
            folder = self._folder
            if folder is None:
                raise OSError("the data folder is missing")
            with folder.reading:
                if folder is self._folder:  # it may have been closed meanwhile
                    yield folder.reader
                    return

    def report_damage(self) -> None:
        """Reports that the database seems damaged. The thread checks it, and moves it aside if it is damaged."""
        with self._changed:
            if self._clock() - self._damage_reported_at >= DAMAGE_CHECK_SECONDS:
                self._damage_reported_at, self._may_be_damaged = self._clock(), True
                self._changed.notify_all()

    def close(self, seconds: float) -> None:
        """Writes the waiting data, within `seconds`, and ends the thread."""
        self.flush(seconds)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(seconds)
        if self._folder is not None:
            self._folder.close(seconds)

    def _due(self) -> list[Write]:
        return self._pending.due(self._clock())

    # --- the thread ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closing or self._may_be_damaged or self._pending.rows or self._due(), RETRY_SECONDS
                )
                if self._closing:
                    return
            try:
                self._check_folder()
                self._write_file()
                self._write_rows()
            except Exception as error:
                self._failed(error)
            else:
                self._fine()

    def _failed(self, error: Exception) -> None:
        kind = getattr(error.__cause__ or error, "errno", None) or getattr(error, "sqlite_errorname", "")
        with self._changed:
            if migrations.is_damage(error):
                self.report_damage()
            if type(error) is not type(self.trouble):  # log it once, and not at each try
                log.warning("history: nothing can be written (%s %s)", type(error).__name__, kind)
            self.trouble = error
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closing, RETRY_SECONDS)

    def _fine(self) -> None:
        with self._changed:
            if self.trouble is not None:
                log.warning("history: it can be written again")
            self.trouble = None
            gap, self._gap = self._gap, False
            self._changed.notify_all()
        if gap:
            self.on_gap()

    def _check_folder(self) -> None:
        """Opens the folder again if it is gone or damaged. Raises NoFolder if it is unavailable."""
        folder = self._folder
        if folder is not None:
            lost = folder.lost()
            if not lost and not self._may_be_damaged:
                folder.check_writable()
                return
            self._lost |= lost
            self._folder = None
            folder.close()
        self._may_be_damaged = False
        with self._changed:  # opening the folder removes files that have no row yet
            self._pending.unprepare()
        self._folder = self._take(self._lost)
        self._lost = set()
        log.warning("history: the data folder was created again")
        self.on_gap()

    def _write_rows(self) -> None:
        with self._changed:
            batch = self._pending.rows[:BATCH]
        try:
            self._commit(batch)
        except FolderGone:
            raise
        except Exception as error:
            if migrations.is_damage(error) or (isinstance(error, _DISK) and not is_full(error)):
                raise
            self._write_one_by_one()

    def _write_one_by_one(self) -> None:
        """Writes each change alone, so that an impossible change delays no other run.

        A change without room on the disk is tried again. An impossible change is given up.
        """
        with self._changed:
            waiting = list(self._pending.rows)
        stuck: set[str] = set()
        failed: Exception | None = None
        for write in waiting:
            if write.run in stuck:
                continue
            try:
                self._commit([write])
            except FolderGone:
                raise
            except _DISK as error:
                stuck.add(write.run)
                failed = error
            except sqlite3.Error as error:
                if migrations.is_damage(error):
                    raise
                self._give_up(write)
            except Exception:
                self._give_up(write)
        if failed is not None:
            raise failed

    def _give_up(self, write: Write) -> None:
        log.exception("history: a value cannot be written and is left out")
        with self._changed:
            self._pending.remove(write)

    def _commit(self, batch: list[Write]) -> None:
        """Commits the writes. Raises FolderGone if the committed data is in a deleted or renamed file."""
        if not batch or self._folder is None:
            return
        connection = self._folder.connection
        with self._folder.writing:
            connection.execute("BEGIN IMMEDIATE")
            try:
                for write in batch:
                    write.apply(connection)
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
        if self._folder.lost():
            raise FolderGone("the data folder was deleted or replaced.")
        self.commits += 1
        for write in batch:
            if write.after is not None:
                write.after()
        with self._changed:
            for write in batch:
                self._pending.remove(write)
            self._changed.notify_all()

    def _write_file(self) -> None:
        with self._changed:
            due = self._due()[:1]
        for write in due:
            assert write.prepare is not None
            try:
                write.prepare()
            except _DISK as error:
                with self._changed:
                    if type(error) is not type(write.error):  # log it once, and not at each try
                        log.warning("history: a file waits for space (%s)", type(error).__name__)
                    write.error = error
                    write.due = self._clock() + min(RETRY_SECONDS * 2.0 ** min(write.tries, 16), LONGEST_BACK_OFF)
                    write.tries += 1
                    self._changed.notify_all()
            except Exception:
                self._give_up(write)
            else:
                with self._changed:
                    self._pending.prepared(write)


def is_full(error: Exception) -> bool:
    """Whether a write failed because the disk has no room."""
    return isinstance(error, DiskFull) or migrations.is_full(error)
