"""The history's folder taken for this process, and what a killed one left put right; or a sentence for why not."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from pathlib import Path

from app import schema, text
from app.data_folder import Lock
from nayer.errors import StorageError
from nayer.files import check_writable

log = logging.getLogger(__name__)
FILES = "files"  # the folder in it for what is too large for a database


def taken(folder: Path, *, network: bool) -> tuple[Lock, sqlite3.Connection, str]:
    """The folder's lock, its database, and a sentence for the page where there is something to say of the past.

    Runs that were cut off are made `interrupted`, and torn files are swept away. Raises StorageError, whose message is
    a sentence for the page, where the folder cannot be had.
    """
    lock = _locked(folder)
    try:
        connection, moved = schema.opened(folder / schema.NAME, network=network)
        _recover(connection, folder / FILES)
    except StorageError:
        lock.release()
        raise StorageError(text.KEPT_NEWER) from None
    except (sqlite3.Error, OSError) as error:
        lock.release()
        log.warning("history: the data folder cannot be used (%s)", error)
        raise StorageError(text.KEPT_UNWRITABLE) from None
    return lock, connection, text.KEPT_ANEW if moved else ""


def _locked(folder: Path) -> Lock:
    try:
        check_writable(folder)
        return Lock(folder)
    except (StorageError, OSError) as error:
        log.warning("history: the data folder cannot be used (%s)", error)
        elsewhere = isinstance(error, StorageError) and "another process" in str(error)
        raise StorageError(text.KEPT_ELSEWHERE if elsewhere else text.KEPT_UNWRITABLE) from None


def _recover(connection: sqlite3.Connection, files: Path) -> None:
    connection.execute("UPDATE run SET state = 'interrupted' WHERE state = 'running'")
    known = {row[0] for row in connection.execute("SELECT name FROM file")}
    files.mkdir(exist_ok=True)
    for path in files.iterdir():
        if path.name not in known:
            with contextlib.suppress(OSError):
                path.unlink()
