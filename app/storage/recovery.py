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
FILES = "files"  # the folder in it for what is too large for a database
_OURS = re.compile(rf"{LOCK}|{FILES}|\.writable.*|{re.escape(migrations.NAME)}.*")
# What `Store.keep` writes, or was about to: nothing else is swept away, wherever a link called `files` may lead.
_TORN = re.compile(r"\.?.+\.(checkpoint|teacher|student-\d+)\.[0-9a-f]+(\.\d+\.part)?")
Mark = tuple[int, int] | None  # device and inode, None for nothing


class NoFolder(StorageError):
    """The data folder cannot be had; the message is a sentence for the page."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenFolder:
    """The data folder as this process holds it. `writing` and `reading` are held while their connection is in use."""

    path: Path
    lock: FileLock
    connection: sqlite3.Connection  # writes
    reader: sqlite3.Connection  # the same one on network storage, where there can be no other
    writing: threading.Lock
    reading: threading.Lock
    marks: dict[str, Mark]  # by name
    damaged: bool  # whether a damaged database had to be moved aside

    def lost(self) -> set[str]:
        """The names under which what was opened is not found any more: a deleted or renamed file can be written for
        ever, and nobody sees it again."""
        return {name for name, mark in self.marks.items() if _mark(self.path / name) != mark}

    def check_writable(self) -> None:
        """Raises NoFolder where nothing may be written into it any more, such as on a disk mounted read-only."""
        for name in (".", FILES):
            if not os.access(self.path / name, os.W_OK | os.X_OK):
                raise NoFolder(messages.KEPT_UNWRITABLE)

    def close(self, seconds: float = -1.0) -> None:
        """Lets go of it. A connection that is still at work after `seconds` is left to the end of the process."""
        lost = self.lost()
        for connection, lock in ((self.reader, self.reading), (self.connection, self.writing)):
            if lock.acquire(timeout=seconds):
                with contextlib.suppress(sqlite3.Error):
                    connection.close()  # once more does no harm
                lock.release()
        with contextlib.suppress(OSError):
            if (
                migrations.NAME in lost and migrations.WAL not in lost
            ):  # it would be read into whatever has the name now
                (self.path / migrations.WAL).unlink(missing_ok=True)
            self.lock.release()


def open_folder(folder: Path, *, network: bool) -> OpenFolder:
    """The folder, made where it is not there, for this process alone.

    Runs that were cut off are made `interrupted`, and torn files are swept away. Raises NoFolder.
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
            for made in (path, folder / FILES):  # the umask may have taken more away
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
