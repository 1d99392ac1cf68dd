"""What a run that was cut off leaves in the folder, so that a later command continues it from its latest checkpoint.

Two files beside the outcomes. NAME.parts has what the run made, and grows. NAME.state has the latest checkpoint, how
many bytes of the parts belong to it, and a digest of the settings. Neither contains pickle. A state that is damaged, or
that belongs to other settings, is as if there were none: the run then starts from its beginning.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from nayer.common.files import read_file, write_whole
from nayer.compare.passages import Kept, Opening, Passage
from nayer.config import Config
from nayer.errors import StorageError, excerpt
from nayer.exports.event_codec import pack, unpack

MAX_BYTES = 4 << 30  # of one of the files
_LENGTHS = struct.Struct("<QQ")  # of a JSON header and of the bytes after it
Parts = tuple[Opening | Passage, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """What a run made up to a state, and that state."""

    parts: Parts
    kept: Kept


@dataclass(frozen=True, slots=True)
class _Passage:
    """A passage without its events, which follow it as bytes."""

    spent: dict[str, float]
    seconds: list[float]
    sizes: list[int]


@dataclass(frozen=True, slots=True)
class _State:
    digest: str
    parts: int  # bytes
    seconds: float
    spent: dict[str, float]
    measured: int


class CutOff:
    """The files of one run. `config`, `clock` and `threads` are those that a continuation must have."""

    def __init__(self, path: Path, config: Config, clock: str, threads: int) -> None:
        """`path` is that of the outcome."""
        self._parts, self._state = path.with_suffix(".parts"), path.with_suffix(".state")
        told = json.dumps([config.model_dump(mode="json"), clock, threads], sort_keys=True)
        self._digest = hashlib.sha256(told.encode()).hexdigest()

    def read(self) -> Left | None:
        """What is left of the run, if it can be continued. Later parts follow it."""
        try:
            [(header, checkpoint)] = _frames(read_file(self._state, MAX_BYTES))
            state = TypeAdapter(_State).validate_json(header, strict=True)
            content = read_file(self._parts, MAX_BYTES)
            if state.digest != self._digest or len(content) < state.parts:
                return None
            parts = tuple(_part(*frame) for frame in _frames(content[: state.parts]))
        except (OSError, ValueError, StorageError, struct.error):
            return None
        if len(content) > state.parts:  # made after the state, and then cut off
            write_whole(self._parts, content[: state.parts])
        return Left(parts, Kept(checkpoint, state.seconds, state.spent, state.measured))

    def add(self, parts: Sequence[object], kept: Kept, *, first: bool) -> None:
        """Adds the parts since the state before, and the new state. `first` begins anew. Raises StorageError."""
        frames = b"".join(_packed(part) for part in parts if isinstance(part, (Opening, Passage)))
        if first:
            write_whole(self._parts, frames)
        else:
            try:
                with self._parts.open("ab") as file:
                    file.write(frames)
            except OSError as error:
                reason = error.strerror or "unknown reason"
                raise StorageError(f"{excerpt(self._parts, 200)} could not be written ({reason}).") from None
        size = self._parts.stat().st_size
        state = _State(self._digest, size, kept.seconds, kept.spent, kept.measured)
        write_whole(self._state, _frame(asdict(state), kept.checkpoint))

    def remove(self) -> None:
        """Removes the files, when the outcome is there."""
        for path in (self._state, self._parts):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _packed(part: Opening | Passage) -> bytes:
    if isinstance(part, Opening):
        return _frame(asdict(part), b"")
    events = [pack(event) for event, _ in part.events]
    about = _Passage(part.spent, [seconds for _, seconds in part.events], [len(one) for one in events])
    return _frame(asdict(about), b"".join(events))


def _part(header: bytes, content: bytes) -> Opening | Passage:
    """The part of a frame. Raises ValueError or StorageError."""
    adapter: TypeAdapter[_Passage | Opening] = TypeAdapter(_Passage | Opening)
    about = adapter.validate_json(header, strict=True)
    if isinstance(about, Opening):
        return about
    events, place = [], 0
    for size, seconds in zip(about.sizes, about.seconds, strict=True):
        events.append((unpack(content[place : place + size]), seconds))
        place += size
    return Passage(tuple(events), about.spent)


def _frame(header: dict[str, object], content: bytes) -> bytes:
    told = json.dumps(header).encode()
    return _LENGTHS.pack(len(told), len(content)) + told + content


def _frames(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The headers and contents of the frames. Raises ValueError or struct.error if one is cut off."""
    place = 0
    while place < len(content):
        header, body = _LENGTHS.unpack_from(content, place)
        place += _LENGTHS.size
        if place + header + body > len(content):
            raise ValueError("cut off")
        yield content[place : place + header], content[place + header : place + header + body]
        place += header + body
