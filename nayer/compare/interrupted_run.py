"""The files of an interrupted run, from which a later command continues it from its latest checkpoint.

Two files lie beside the outcomes. NAME.parts grows with the parts that the run has made. NAME.state has the latest
checkpoint, the number of bytes of the parts that belong to it, and a digest of the settings. Neither contains pickle.
A state that is damaged, or that belongs to other settings, is ignored: the run then starts from its beginning.
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
from nayer.compare.run_parts import RoundPart, SavedState, StartPart
from nayer.config import Config
from nayer.errors import StorageError, excerpt
from nayer.exports.event_codec import pack, unpack

MAX_BYTES = 4 << 30  # of one of the files
_LENGTHS = struct.Struct("<QQ")  # of a JSON header and of the bytes after it
Parts = tuple[StartPart | RoundPart, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """The parts that a run has made up to a state, and that state."""

    parts: Parts
    state: SavedState


@dataclass(frozen=True, slots=True)
class _RoundHeader:
    """A RoundPart without its events, which follow it as bytes."""

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


class InterruptedRun:
    """The files of one run. `config`, `clock` and `threads` are those that a continuation must have."""

    def __init__(self, path: Path, config: Config, clock: str, threads: int) -> None:
        """`path` is that of the outcome."""
        self._parts, self._state = path.with_suffix(".parts"), path.with_suffix(".state")
        settings = json.dumps([config.model_dump(mode="json"), clock, threads], sort_keys=True)
        self._digest = hashlib.sha256(settings.encode()).hexdigest()

    def read(self) -> Progress | None:
        """The progress of the run, or None if it cannot be continued. Parts after the saved state are removed."""
        try:
            [(header, checkpoint)] = _frames(read_file(self._state, MAX_BYTES))
            state = TypeAdapter(_State).validate_json(header, strict=True)
            content = read_file(self._parts, MAX_BYTES)
            if state.digest != self._digest or len(content) < state.parts:
                return None
            parts = tuple(_part(*frame) for frame in _frames(content[: state.parts]))
        except (OSError, ValueError, StorageError, struct.error):
            return None
        if len(content) > state.parts:  # parts that were made after the state
            write_whole(self._parts, content[: state.parts])
        return Progress(parts, SavedState(checkpoint, state.seconds, state.spent, state.measured))

    def add(self, parts: Sequence[object], state: SavedState, *, first: bool) -> None:
        """Adds the parts since the previous state, and the new state. `first`: in new files. Raises StorageError."""
        frames = b"".join(_packed(part) for part in parts if isinstance(part, (StartPart, RoundPart)))
        if first:
            write_whole(self._parts, frames)
        else:
            try:
                with self._parts.open("ab") as file:
                    file.write(frames)
            except OSError as error:
                reason = error.strerror or "unknown reason"
                raise StorageError(
                    f"{excerpt(self._parts, 200)} cannot be written ({reason}); make space, or use another folder."
                ) from None
        size = self._parts.stat().st_size
        header = _State(self._digest, size, state.seconds, state.spent, state.measured)
        write_whole(self._state, _frame(asdict(header), state.checkpoint))

    def remove(self) -> None:
        """Removes the files, once the outcome is written."""
        for path in (self._state, self._parts):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _packed(part: StartPart | RoundPart) -> bytes:
    if isinstance(part, StartPart):
        return _frame(asdict(part), b"")
    events = [pack(event) for event, _ in part.events]
    about = _RoundHeader(part.spent, [seconds for _, seconds in part.events], [len(one) for one in events])
    return _frame(asdict(about), b"".join(events))


def _part(header: bytes, content: bytes) -> StartPart | RoundPart:
    """The part of a frame. Raises ValueError or StorageError."""
    adapter: TypeAdapter[_RoundHeader | StartPart] = TypeAdapter(_RoundHeader | StartPart)
    about = adapter.validate_json(header, strict=True)
    if isinstance(about, StartPart):
        return about
    events, start = [], 0
    for size, seconds in zip(about.sizes, about.seconds, strict=True):
        events.append((unpack(content[start : start + size]), seconds))
        start += size
    return RoundPart(tuple(events), about.spent)


def _frame(header: dict[str, object], content: bytes) -> bytes:
    text = json.dumps(header).encode()
    return _LENGTHS.pack(len(text), len(content)) + text + content


def _frames(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The headers and contents of the frames. Raises ValueError or struct.error if one is incomplete."""
    start = 0
    while start < len(content):
        header, body = _LENGTHS.unpack_from(content, start)
        start += _LENGTHS.size
        if start + header + body > len(content):
            raise ValueError("incomplete")
        yield content[start : start + header], content[start + header : start + header + body]
        start += header + body
