"""Writes files completely or not at all, and reads only regular files of a bounded size."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from nayer.errors import ConfigError, DiskFull, StorageError, excerpt

FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})  # the system's errors for missing room
PRIVATE = 0o600  # only the user reads and writes
LOCK = ".lock"  # the file in a folder whose lock says that a process writes there


def open_file(path: Path, limit: int) -> BinaryIO:
    """Opens a regular file of at most `limit` bytes for reading.

    The caller reads at most `limit` bytes. Raises OSError, with a reason in words as its `strerror`, for anything else:
    a folder, a FIFO, a device, a socket, a name that no file can have.
    """
    try:
        # O_NONBLOCK: without it, opening a FIFO waits for a writer. It changes nothing for a regular file.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError:  # a NUL, or a character that the file system's encoding lacks
        raise OSError(errno.EINVAL, "not a file name") from None
    try:
        found = os.fstat(handle)  # of the open file, so no other file can replace it in between
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if found.st_size > limit:
            raise OSError(errno.EFBIG, f"larger than {size_in_words(limit)}")
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_file(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes, even if the file grows meanwhile.

    Raises OSError as `open_file` does.
    """
    with open_file(path, limit) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"larger than {size_in_words(limit)}")
    return content


def size_in_words(count: int) -> str:
    """A number of bytes in words, for example 8 MB."""
    return f"{count >> 20} MB" if count >= 1 << 20 else f"{count >> 10} KB"


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Writes a file beside `path` and moves it there. A full disk leaves the old file, a power cut the old or the new.

    A `private` file is readable for this user only, for any umask. Raises StorageError, which includes DiskFull.
    """
    write_together({path: content}, private=private)


def write_together(contents: Mapping[Path, bytes], former: Iterable[Path] = (), *, private: bool = False) -> None:
    """Writes every file beside its path, removes the `former` files, and moves the written ones there in their order.

    So an error or a stop during the writing, which takes nearly all of the time, leaves the old files. A file that is
    `former` and also in `contents` is missing while the files before it are new: it says that all of them are.
    Raises StorageError, which includes DiskFull.
    """
    path, scratches = Path(), {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in contents}
    folders = {folder: None for path in contents for folder in (path.parent, *path.parent.parents)}  # inner ones first
    made = [folder for folder in folders if not os.path.lexists(folder)]
    try:
        try:
            for path, scratch in scratches.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                with scratch.open("wb") as file:
                    if private:
                        scratch.chmod(PRIVATE)
                    file.write(contents[path])
                    file.flush()
                    os.fsync(file.fileno())
            for path in former:
                path.unlink(missing_ok=True)
            for path, scratch in scratches.items():
                os.replace(scratch, path)
            for folder in {path.parent for path in scratches}:
                _sync_names(folder)
        finally:
            for scratch in scratches.values():
                with suppress(OSError):  # the first error is the one to report
                    scratch.unlink(missing_ok=True)
            for folder in made:
                with suppress(OSError):  # it holds what was written, which is normal
                    folder.rmdir()
    except OSError as error:
        kind = DiskFull if error.errno in FULL else StorageError
        reason = error.strerror or "unknown reason"
        raise kind(f"{excerpt(path, 200)} could not be written ({reason}); choose a place with free space.") from None


def _sync_names(folder: Path) -> None:
    """Makes the names in `folder` survive a power cut, if the system can do this."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def check_writable(folder: Path) -> None:
    """Makes `folder` and tries a file in it, so that a StorageError comes before hours of work, not after them."""
    probe = folder / ".writable"
    try:
        write_whole(probe, b"")
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def check_target(path: Path, field: str = "out") -> None:
    """Makes the folder of a file that will be written, and tries a file in it.

    Raises StorageError, also if `path` is a folder or anything else that is not a regular file. `field` is the setting
    that the error names if the folder cannot be written.
    """
    try:
        check_writable(path.parent)
    except StorageError as error:
        raise StorageError(f"{field}={excerpt(path, 200)!r}: {error}") from None
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"{excerpt(path, 200)} cannot be written ({error.strerror}); choose another file.") from None
    if not regular:
        raise StorageError(f"{excerpt(path, 200)} exists and is not a regular file; choose another file.")


def check_places(folder: Path, files: Iterable[str] = (), folders: Iterable[str] = ()) -> None:
    """Raises StorageError if something in `folder` is in the way of `files` and `folders` that will be written there.

    A link in place of a folder is in the way: it leads to a place that nobody named. A link in place of a file is
    replaced, and its target stays as it is.
    """
    for name in files:
        if (mode := _mode(folder / name)) and not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
            raise StorageError(f"{excerpt(folder / name, 200)} is not a file; move it away, or choose another folder.")
    for name in folders:
        if (mode := _mode(folder / name)) and not stat.S_ISDIR(mode):
            raise StorageError(
                f"{excerpt(folder / name, 200)} is a link or a file in place of a folder; move it away, or choose "
                "another folder."
            )


def check_ours(field: str, folder: Path, ours: bool, files: Iterable[str], whose: str) -> None:
    """Raises StorageError if `folder` has one of the `files` that will be written, and they are not `ours`.

    So a folder with other things in it loses nothing. `whose` says whose files are replaced, as in "a run".
    """
    found = "" if ours else next((name for name in files if os.path.lexists(folder / name)), "")
    if found:
        raise StorageError(
            f"{field}={excerpt(folder, 200)!r} contains {found}, which is not the file of {whose}; choose another "
            "folder, or move it away."
        )


def _mode(path: Path) -> int:
    """The mode of what has this name, links not followed; 0 if nothing has, or if it cannot be looked at."""
    try:
        return path.lstat().st_mode
    except (OSError, ValueError):
        return 0


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Makes `folder` and keeps it for this process.

    Raises StorageError if it cannot be written to, or while another process holds it. The lock ends with its
    process, for any kind of end.
    """
    import filelock

    made = [parent for parent in (folder, *folder.parents) if not os.path.lexists(parent)]
    check_writable(folder)
    lock = filelock.FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise StorageError(
            f"{excerpt(folder, 200)} is in use by another process that writes there; wait for it, or choose another "
            "folder."
        ) from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or "this file system has no locks"
        raise StorageError(f"{excerpt(folder, 200)} cannot be locked ({reason}); choose another folder.") from None
    try:
        yield
    finally:
        with suppress(OSError):  # the folder vanished, or the disk is read-only
            (folder / LOCK).unlink()  # while it is held; a waiting process checks that the file still exists
        lock.release()
        with suppress(OSError):  # the folder is not empty, which is normal
            for parent in made:
                parent.rmdir()


def path_to_write(field: str, text: str) -> Path:
    """The path that a user typed for a file or folder; ConfigError naming `field` if it cannot be a path."""
    if not text.strip():
        raise ConfigError(f"{field} is empty; name a file or folder.")
    if not text.isprintable():  # a line break, a NUL, bytes that are not text
        raise ConfigError(f"{field}={excerpt(text)!r} contains characters that cannot be shown; use another name.")
    return Path(text)
