"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from nayer.errors import StorageError


def write_whole(path: Path, content: bytes) -> None:
    """Writes beside `path` and moves there, so that a full disk leaves the former file. Raises StorageError."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            scratch.write_bytes(content)
            os.replace(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path} could not be written ({error.strerror or 'unknown reason'}); name a folder with space in it."
        ) from None


def check_writable(folder: Path) -> None:
    """Makes `folder` and tries a file in it; StorageError before hours of work rather than after them."""
    probe = folder / ".writable"
    write_whole(probe, b"")
    probe.unlink()
