"""The folder where runs outlive the process: which one it is, and that one process at a time has it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from nayer.errors import StorageError

OFF = "off"
MOUNT = "/data"  # where a Space has its persistent storage, if it has any
_NAME = "nayer"


def data_folder(variables: Mapping[str, str], *, on_space: bool) -> Path | None:
    """NAYER_DATA, None for `off`; without it a Space's own storage, else the user's folder for applications' data.

    That one, rather than one for temporary files, which may be emptied while a run is still to be taken up again, or
    the current folder, which may be a checkout. XDG Base Directory Specification 0.8; elsewhere what each system has.
    """
    named = variables.get("NAYER_DATA", "").strip()
    if named:
        return None if named == OFF else Path(named).expanduser()
    if on_space and Path(MOUNT).is_dir():
        return Path(MOUNT) / _NAME
    if sys.platform == "win32":
        return Path(variables.get("LOCALAPPDATA") or "~/AppData/Local").expanduser() / _NAME
    if sys.platform == "darwin":
        return Path("~/Library/Application Support").expanduser() / _NAME
    return Path(variables.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / _NAME


class Lock:
    """Held until `release`, or until the process ends in whatever way."""

    def __init__(self, folder: Path) -> None:
        """StorageError while another process holds it."""
        self._handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _claim(self._handle)
        except OSError:
            os.close(self._handle)
            raise StorageError("another process keeps its runs there; name another folder.") from None

    def release(self) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def _claim(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
