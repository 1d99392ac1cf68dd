"""The folder where runs outlive the process: its path, its permissions, and its lock for one process at a time."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from nayer.common.files import PRIVATE
from nayer.errors import ConfigError, StorageError, excerpt

OFF = "off"
MOUNT = "/data"  # where a Space has its persistent storage, if it has any
LOCK = "lock"  # the file whose lock the process holds
PRIVATE_FOLDER = 0o700
_NAME = "nayer"


class FolderInUse(StorageError):
    """Another process keeps its runs in the folder."""


def data_folder(variables: Mapping[str, str], *, on_space: bool) -> Path | None:
    """NAYER_DATA, None for `off`; without it a Space's own storage, else the user's folder for applications' data.

    That one, rather than one for temporary files, which may be emptied while a run is still to be taken up again, or
    the current folder, which may be a checkout. XDG Base Directory Specification 0.8; elsewhere what each system has.
    Raises ConfigError for a home folder that does not exist.
    """
    named = variables.get("NAYER_DATA", "").strip()
    if named:
        return None if named == OFF else _expanded(named)
    if on_space and Path(MOUNT).is_dir():
        return Path(MOUNT) / _NAME
    if sys.platform == "win32":
        return _expanded(variables.get("LOCALAPPDATA") or "~/AppData/Local") / _NAME
    if sys.platform == "darwin":
        return _expanded("~/Library/Application Support") / _NAME
    return _expanded(variables.get("XDG_DATA_HOME") or "~/.local/share") / _NAME


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such user, or a user without a home folder
        raise ConfigError(
            f"The data folder {excerpt(path)!r} is in a home folder that does not exist; set NAYER_DATA to another "
            "folder, or to off."
        ) from None


def locked(folder: Path) -> FileLock:
    """The folder's lock, held until its `release` or until the process ends in any way.

    Raises FolderInUse while another process holds it, OSError if no lock is possible. A file system without locks is
    refused. A marker file is no replacement: after a SIGKILL on another machine it stays there.
    """
    lock = FileLock(folder / LOCK, timeout=0, mode=PRIVATE, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise FolderInUse("another process uses this folder; use another folder.") from None
    except NotImplementedError as error:  # filelock raises this on a file system without locks
        raise OSError(str(error)) from None
    return lock


def make_private(folder: Path, ours: re.Pattern[str]) -> None:
    """Creates `folder` without access for other users, and removes access that an earlier version allowed.

    `ours` matches the names of our own files and folders. A folder that holds anything else, is another user's, or is
    sticky, such as /tmp, keeps its mode. OSError where it cannot be made.
    """
    existed = folder.is_dir()
    folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    found = list(folder.iterdir())
    mine = [path for path in found if ours.fullmatch(path.name)]
    if not existed or (len(mine) == len(found) and not folder.stat().st_mode & stat.S_ISVTX):
        tighten(folder)
    for path in mine:
        tighten(path)
        if path.is_dir() and not path.is_symlink():
            for file in path.iterdir():
                tighten(file)


def tighten(path: Path) -> None:
    """Removes other users' access to a file or folder of this user. Links are not followed."""
    with contextlib.suppress(OSError):
        facts = path.lstat()
        wanted = PRIVATE_FOLDER if stat.S_ISDIR(facts.st_mode) else PRIVATE
        mine = not hasattr(os, "geteuid") or facts.st_uid == os.geteuid()
        if mine and not stat.S_ISLNK(facts.st_mode) and stat.S_IMODE(facts.st_mode) != wanted:
            path.chmod(wanted)
