"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from nayer.errors import DiskFull, StorageError

FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})  # what the system says where there is no room
PRIVATE = 0o600  # only the user reads and writes


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Writes beside `path` and moves there, so that a full disk leaves the former file, and a power cut one of the two.

    A `private` file is readable for this user only, whatever the umask is. Raises StorageError, DiskFull among them.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with scratch.open("wb") as file:
                if private:
                    scratch.chmod(PRIVATE)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, path)
            _settle(path.parent)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        kind = DiskFull if error.errno in FULL else StorageError
        raise kind(
            f"{path} could not be written ({error.strerror or 'unknown reason'}); name a folder with space in it."
        ) from None


def read_file(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes.

    Raises OSError for a larger file and for whatever is not a regular file: a FIFO would wait for its writer, and a
    device may have no end.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "Not a regular file")
        if facts.st_size > limit:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return file.read(limit)


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
