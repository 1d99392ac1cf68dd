"""One thread that writes: callers hand over and go on, what could not be written is tried again, within bounds."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nayer.errors import StorageError

log = logging.getLogger(__name__)
RETRY_SECONDS = 2.0
PENDING = 4000  # writes that wait for a disk to work again; then the oldest are given up
BATCH = 200  # writes in one transaction


@dataclass(eq=False)
class Write:
    """One change. `prepare` and `after` may take long and hold nobody up: files; `apply` is part of a transaction."""

    apply: Callable[[sqlite3.Connection], None]
    prepare: Callable[[], None] | None = None
    after: Callable[[], None] | None = None  # once it is on the disk
    replaces: object = None  # a waiting write with the same key gives way: only the newest is worth its time


class Writer:
    """Owns the connection's writing; `reading` lends it in between. Every method may be called from any thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.trouble = ""  # what the disk said, while nothing can be written
        self.commits = 0
        self._connection = connection
        self._lock = threading.Lock()  # of the connection
        self._changed = threading.Condition()
        self._pending: deque[Write] = deque()
        self._taken = 0  # writes handed over
        self._settled = 0  # of these, written or given up
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="nayer-writer", daemon=True)
        self._thread.start()

    def put(self, write: Write) -> None:
        """Will be written soon, in order."""
        with self._changed:
            if write.replaces is not None:
                for waiting in [one for one in self._pending if one.replaces == write.replaces]:
                    self._drop(waiting)
            self._pending.append(write)
            self._taken += 1
            if len(self._pending) > PENDING:
                self._drop(self._pending[0])
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Whether all that was handed over before is on the disk; waits so long, but not for a disk in trouble."""
        with self._changed:
            until = self._taken
            self._changed.wait_for(lambda: self._settled >= until or bool(self.trouble), seconds)
            return self._settled >= until and not self.trouble

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._connection

    def close(self, seconds: float) -> None:
        """Writes what waits, within `seconds`, and ends."""
        self.flush(seconds)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(seconds)
        with self._lock:
            self._connection.close()  # once more does no harm

    def _drop(self, write: Write) -> None:
        self._pending.remove(write)
        self._settled += 1

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._pending) or self._closing)
                if self._closing:
                    return
                batch = [self._pending[place] for place in range(min(BATCH, len(self._pending)))]
            try:
                self._commit(batch)
            except (sqlite3.Error, OSError, StorageError, MemoryError) as error:
                log.warning("history: nothing can be written (%s)", error)
                with self._changed:
                    self.trouble = str(error)
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: self._closing, RETRY_SECONDS)
                continue
            with self._changed:
                self.trouble = ""
                for write in batch:
                    if write in self._pending:
                        self._drop(write)
                self._changed.notify_all()

    def _commit(self, batch: list[Write]) -> None:
        for write in batch:
            if write.prepare is not None:
                write.prepare()
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for write in batch:
                    write.apply(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise
        self.commits += 1
        for write in batch:
            if write.after is not None:
                write.after()
