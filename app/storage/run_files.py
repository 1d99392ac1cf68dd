"""Files of runs that are too large for the database, in a separate folder. Each is checked by its SHA-256."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from glob import escape
from pathlib import Path

from nayer.common.files import read_file, write_whole
from nayer.errors import StorageError


class RunFiles:
    """For any thread. A name contains the run of the file, its kind, and its content hash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, content: bytes) -> None:
        """Raises StorageError, DiskFull among them."""
        write_whole(self._folder / name, content, private=True)

    def read(self, name: str, kind: str, size: int, sha256: str) -> bytes:
        """Raises StorageError where the file is not what was written; nothing larger than `size` bytes is read."""
        try:
            content = read_file(self._folder / name, size)
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StorageError(f"the {kind} of this run is damaged on disk; start a new run.")
        return content

    def keep_only(self, run: str, kind: str, names: Iterable[str]) -> None:
        """Removes the files of that run and kind except `names`: older files, and files without a row."""
        with contextlib.suppress(OSError):
            self.remove({path.name for path in self._folder.glob(f"{escape(run)}.{kind}.*")} - set(names))

    def remove(self, names: Iterable[str]) -> None:
        """Deletes files by name; a missing file is no error."""
        for name in names:
            with contextlib.suppress(OSError):
                (self._folder / name).unlink()
