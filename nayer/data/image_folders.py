"""Labeled pictures in a folder or a zip archive: the folder of a picture is its class.

`cat/1.png`, `test/cat/1.png` and `mine/train/cat/1.png` are all a cat. Nothing is extracted to the disk. The reader
counts the bytes while it reads, because an archive can state wrong sizes.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from nayer.common.files import open_file
from nayer.data.image_decoding import SUFFIXES
from nayer.errors import AssetError, excerpt

TRAIN = frozenset({"train", "training"})
TEST = frozenset({"test", "testing", "val", "valid", "validation"})
MAX_NAME = 255  # characters of a name inside an archive
# Encoded pictures hardly become smaller in an archive: one that unpacks to more than this is a bomb.
RATIO, UNPACKED = 20, 64 << 20  # times its size, and bytes that are always allowed
PASSED = 5  # a folder may hold this many times as many other files as pictures
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that is read; a page on the open web allows less than a program on a user's own machine."""

    members: int = 200_000  # files, pictures or not
    picture_bytes: int = 8 << 20
    bytes_in_all: int = 2 << 30


VISITOR = Limits(members=5_000, picture_bytes=2 << 20, bytes_in_all=64 << 20)


@dataclass(frozen=True, slots=True)
class Picture:
    """One encoded picture; `split` is train, test, or empty if its folder does not say."""

    split: str
    label: str  # the class's name
    name: str  # for messages
    data: bytes


def pictures_in(path: Path, limits: Limits | None = None) -> list[Picture]:
    """The pictures in a folder or in a zip file, in the order of their names; AssetError if there are none."""
    limits = limits or Limits()
    try:
        if path.is_dir():
            found = list(_in_folder(path, limits))
        else:
            with open_file(path, limits.bytes_in_all) as file:
                found = _in_archive(file, path.name, limits)
    except OSError as error:
        raise AssetError(f"{path.name} cannot be read ({error.strerror}); name a folder or a zip file.") from None
    if not found:
        raise AssetError(
            f"{path.name} has no images in folders named after their classes; put them there, as in cat/1.png."
        )
    return found


def in_zip(content: bytes, name: str, limits: Limits) -> list[Picture]:
    """The pictures in an archive in memory; AssetError in one sentence for any fault in it."""
    return _in_archive(io.BytesIO(content), name, limits)


def _in_archive(file: BinaryIO, name: str, limits: Limits) -> list[Picture]:
    # Every entry of its list of contents begins with this mark: too many are refused before they are parsed.
    if _occurrences(file, b"PK\1\2") > 2 * limits.members:
        raise AssetError(f"{name} contains many more than {limits.members:,} files; use fewer.")
    size = file.seek(0, io.SEEK_END)
    limits = replace(limits, bytes_in_all=min(limits.bytes_in_all, max(UNPACKED, RATIO * size)))
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_members(members, name, limits)
            return list(_read(archive, members, name, limits))
    except AssetError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
        raise AssetError(f"{name} is not a zip file, or it is damaged; create it again.") from None


def _occurrences(file: BinaryIO, mark: bytes) -> int:
    """Counts `mark` in a file, from the file's present position; only a small part is in memory at a time."""
    count, rest = 0, b""
    while piece := file.read(1 << 16):
        piece = rest + piece
        count += piece.count(mark)
        rest = piece[1 - len(mark) :]
    return count


def _check_members(members: list[zipfile.ZipInfo], name: str, limits: Limits) -> None:
    if len(members) > limits.members:
        raise AssetError(f"{name} contains {len(members):,} files; at most {limits.members:,} are read.")
    if len({member.filename for member in members}) < len(members):
        raise AssetError(f"{name} contains two files of the same name; create it again.")
    for member in members:
        entry = repr(member.filename[:40])
        parts = PurePosixPath(member.filename).parts
        if len(member.filename) > MAX_NAME:
            raise AssetError(
                f"{name} contains a name of {len(member.filename):,} characters, {entry}; use at most {MAX_NAME}."
            )
        if (
            not member.filename
            or "\0" in member.orig_filename
            or "\\" in member.filename
            or ":" in member.filename[:2]
            or ".." in parts
            or member.filename.startswith("/")
        ):
            raise AssetError(
                f"{name} contains the name {entry}, which points outside the archive; use names such as cat/1.png."
            )
        if member.flag_bits & 0x1:
            raise AssetError(f"{name} is encrypted at {entry}; create it without a password.")
        if member.compress_type not in METHODS:
            raise AssetError(f"{name} uses an unusual compression at {entry}; use an ordinary zip file.")


def _read(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], name: str, limits: Limits) -> Iterator[Picture]:
    left = limits.bytes_in_all
    for member in sorted(members, key=lambda member: member.filename):
        parts = PurePosixPath(member.filename).parts
        if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16) or not _is_picture(parts):
            continue
        with archive.open(member) as file:
            data = file.read(min(limits.picture_bytes, left) + 1)  # a read to the end also checks the CRC
        left = _counted(data, member.filename, name, left, limits)
        yield Picture(_split(parts), parts[-2], excerpt("/".join(parts[-2:]), 100), data)


def _in_folder(folder: Path, limits: Limits) -> Iterator[Picture]:
    left = limits.bytes_in_all
    paths = files_below(folder, SUFFIXES, limits)
    for path in paths:
        parts = path.relative_to(folder).parts
        if not _is_picture(parts):
            continue
        try:
            with open_file(path, limits.bytes_in_all) as file:
                data = file.read(min(limits.picture_bytes, left) + 1)
        except OSError as error:
            raise AssetError(
                f"{excerpt('/'.join(parts[-2:]), 100)} cannot be read ({error.strerror}); make it readable."
            ) from None
        left = _counted(data, path.name, folder.name, left, limits)
        yield Picture(_split(parts), parts[-2], excerpt("/".join(parts[-2:]), 100), data)


def files_below(folder: Path, suffixes: tuple[str, ...], limits: Limits) -> list[Path]:
    """The files in `folder` and below with one of the `suffixes`, sorted. AssetError if there are too many of any kind.

    Links to folders are not followed. A folder that cannot be read is an AssetError too: its class would be missing.
    """

    def fail(error: OSError) -> None:
        name = Path(str(error.filename)).name
        if not name.startswith(".") and name != "lost+found":  # the file system's own
            raise AssetError(
                f"{excerpt(name, 100)} in {folder.name} cannot be read ({error.strerror}); make it readable."
            )

    found: list[Path] = []
    passed = 0
    for parent, folders, names in os.walk(folder, onerror=fail):
        passed += len(folders) + len(names)
        found += [Path(parent, name) for name in names if name.lower().endswith(suffixes)]
        if len(found) > limits.members:
            raise AssetError(f"{folder.name} contains more than {limits.members:,} images; use fewer.")
        if passed > PASSED * limits.members:
            raise AssetError(f"{folder.name} contains many more than {limits.members:,} files; use fewer.")
    return sorted(found)


def _is_picture(parts: tuple[str, ...]) -> bool:
    """A picture in a folder, none of them hidden or made by macOS for its own use."""
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return len(parts) >= 2 and not hidden and PurePosixPath(parts[-1]).suffix.lower() in SUFFIXES


def _split(parts: tuple[str, ...]) -> str:
    above = parts[-3].lower() if len(parts) >= 3 else ""
    return "train" if above in TRAIN else "test" if above in TEST else ""


def _counted(data: bytes, member: str, name: str, left: int, limits: Limits) -> int:
    """How many bytes may still come."""
    if len(data) > left:
        raise AssetError(
            f"{name} contains more than {limits.bytes_in_all >> 20} MB of images; use fewer or smaller images."
        )
    if len(data) > limits.picture_bytes:
        raise AssetError(
            f"{name} contains an image, {member[-40:]!r}, of more than {limits.picture_bytes >> 20} MB; use smaller "
            "images."
        )
    return left - len(data)
