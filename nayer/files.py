"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from nayer.errors import StorageError


def write_whole(path: Path, content: bytes) -> None:
    """Writes beside `path` and moves there, so that a full disk leaves the former file, and a power cut one of the two.

    Raises StorageError.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with scratch.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, path)
            _settle(path.parent)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path} could not be written ({error.strerror or 'unknown reason'}); name a folder with space in it."
        ) from None


def _settle(folder: Path) -> None:
    """Makes the names in `folder` outlast a power cut, where the system has a way to."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def check_writable(folder: Path) -> None:
    """Makes `folder` and tries a file in it; StorageError before hours of work rather than after them."""
    probe = folder / ".writable"
    write_whole(probe, b"")
    probe.unlink()
