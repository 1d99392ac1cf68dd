"""Locks the history's folder for this process and repairs what a killed process left, or says why it cannot."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from app.content import messages
from app.storage import migrations
from app.support.paths import LOCK, PRIVATE_FOLDER, FolderInUse, locked, make_private, tighten
from nayer.common.files import PRIVATE, check_writable
from nayer.errors import StorageError

log = logging.getLogger(__name__)
FILES = "files"  # the subfolder for files that are too large for a database
_OURS = re.compile(rf"{LOCK}|{FILES}|\.writable.*|{re.escape(migrations.NAME)}.*")
# Names that `Store.keep` writes. No other file is removed, even if a link named `files` leads elsewhere.
_TORN = re.compile(r"\.?.+\.(checkpoint|teacher|student-\d+)\.[0-9a-f]+(\.\d+\.part)?")
Mark = tuple[int, int] | None  # device and inode, None for nothing


class NoFolder(StorageError):
    """The data folder is unavailable; the message is a sentence for the page."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenFolder:
    """The data folder as this process holds it. `writing` and `reading` are held while their connection is in use."""

    path: Path
    lock: FileLock
    connection: sqlite3.Connection  # writes
    reader: sqlite3.Connection  # on network storage the same one, because only one can exist there
    writing: threading.Lock
    reading: threading.Lock
    marks: dict[str, Mark]  # by name
    damaged: bool  # whether a damaged database had to be moved aside

    def lost(self) -> set[str]:
        """The names whose opened file is no longer there. A process can write to a deleted or renamed file without an
        error, but the data is lost."""
        return {name for name, mark in self.marks.items() if _mark(self.path / name) != mark}

    def check_writable(self) -> None:
        """Raises NoFolder if the folder is no longer writable, for example on a disk mounted read-only."""
        for name in (".", FILES):
            if not os.access(self.path / name, os.W_OK | os.X_OK):
                raise NoFolder(messages.KEPT_UNWRITABLE)

    def close(self, seconds: float = -1.0) -> None:
        """Closes the folder. A connection that still works after `seconds` stays open until the process ends."""
        lost = self.lost()
        for connection, lock in ((self.reader, self.reading), (self.connection, self.writing)):
            if lock.acquire(timeout=seconds):
                with contextlib.suppress(sqlite3.Error):
                    connection.close()  # a second close does no harm
                lock.release()
        with contextlib.suppress(OSError):
            if (
                migrations.NAME in lost and migrations.WAL not in lost
            ):  # otherwise SQLite reads it into the new file of that name
                (self.path / migrations.WAL).unlink(missing_ok=True)
            self.lock.release()


def open_folder(folder: Path, *, network: bool) -> OpenFolder:
    """Opens the folder for this process alone, and creates it if it is missing.

    Cut-off runs become `interrupted`, and incomplete files are removed. Raises NoFolder.
    """
    with contextlib.ExitStack() as undo:
        try:
            make_private(folder, _OURS)
            check_writable(folder)
            lock = locked(folder)
            undo.callback(lock.release)
            path = folder / migrations.NAME
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))  # SQLite makes its other files like this one
            (folder / FILES).mkdir(PRIVATE_FOLDER, exist_ok=True)
            for made in (path, folder / FILES):  # the umask may have removed more permissions
                tighten(made)
            connection, damaged = migrations.opened(path, network=network)
            undo.callback(connection.close)
            _recover(connection, folder / FILES)
            writing = threading.Lock()
            reader, reading = (connection, writing) if network else (migrations.reader(path), threading.Lock())
            undo.callback(reader.close)
            names = (
                (".", LOCK, migrations.NAME, FILES) if network else (".", LOCK, migrations.NAME, migrations.WAL, FILES)
            )
            held = OpenFolder(
                folder,
                lock,
                connection,
                reader,
                writing,
                reading,
                {name: _mark(folder / name) for name in names},
                damaged,
            )
        except FolderInUse as error:
            raise NoFolder(messages.KEPT_ELSEWHERE) from error
        except migrations.NewerHistory as error:
            raise NoFolder(messages.KEPT_NEWER) from error
        except (StorageError, sqlite3.Error, OSError) as error:
            raise NoFolder(messages.KEPT_UNWRITABLE) from error
        undo.pop_all()
        return held


def _mark(path: Path) -> Mark:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _recover(connection: sqlite3.Connection, files: Path) -> None:
    connection.execute("UPDATE run SET state = 'interrupted' WHERE state = 'running'")
    known = {row[0] for row in connection.execute("SELECT name FROM file")}
    for path in files.iterdir():
        if path.name not in known and _TORN.fullmatch(path.name):
            with contextlib.suppress(OSError):
                path.unlink()
