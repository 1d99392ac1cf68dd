"""Turns events into bytes and back, without loss and without pickle: small values as JSON, arrays as raw bytes.

Events of earlier versions get the names of this one when they are read.
"""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from typing import Any

import numpy as np

from nayer import events, measures
from nayer.earlier_versions import RENAMED_EVENTS, RENAMED_FIELDS, RENAMED_SETTINGS, with_present_names
from nayer.errors import StorageError
from nayer.events import Event, PolicyChanged, RunStarted
from nayer.text_rules import without_forbidden

VERSION = b"\x01"  # the first byte
MAX_BYTES = 64 << 20  # of one event, unpacked
_KINDS = {
    name: kind
    for module in (events, measures)
    for name, kind in vars(module).items()
    if dataclasses.is_dataclass(kind) and isinstance(kind, type) and kind.__module__ == module.__name__
}


def pack(event: Event) -> bytes:
    """The event as bytes: version, then deflated: the header's length, the header as JSON, the arrays' bytes."""
    arrays: list[bytes] = []
    header = json.dumps(_plain(event, arrays), separators=(",", ":")).encode()
    return VERSION + zlib.compress(b"".join([struct.pack("<I", len(header)), header, *arrays]), 1)


def unpack(content: bytes) -> Event:
    """The event that was packed. Its texts are safe to show. Raises StorageError for anything else."""
    try:
        if content[:1] != VERSION:
            raise ValueError("another version")
        inflater = zlib.decompressobj()
        whole = inflater.decompress(content[1:], MAX_BYTES)
        if not inflater.eof:
            raise ValueError("cut off, or too large")
        (length,) = struct.unpack_from("<I", whole)
        event = _built(without_forbidden(json.loads(whole[4 : 4 + length])), memoryview(whole)[4 + length :])
        if isinstance(event, RunStarted):
            event = dataclasses.replace(event, config=with_present_names(event.config, RENAMED_SETTINGS))
        elif isinstance(event, PolicyChanged):
            event = dataclasses.replace(event, changes=with_present_names(event.changes, RENAMED_SETTINGS))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
        struct.error,
        zlib.error,
    ):
        raise StorageError("an event of this run is damaged or of another version; start a new run.") from None
    if not isinstance(event, Event):
        raise StorageError("an event of this run is not an event; start a new run.")
    return event


def _plain(value: Any, arrays: list[bytes]) -> Any:
    """The value, ready for JSON. A type that JSON does not know becomes an object with one key that no field has."""
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value).tobytes())
        return {"[]": [value.dtype.str, list(value.shape)]}
    if dataclasses.is_dataclass(value):
        fields = {f.name: _plain(getattr(value, f.name), arrays) for f in dataclasses.fields(value)}
        return {"=": [type(value).__name__, fields]}
    if isinstance(value, tuple):
        return {"()": [_plain(one, arrays) for one in value]}
    if isinstance(value, list):
        return [_plain(one, arrays) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one, arrays) for key, one in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _built(value: Any, arrays: memoryview) -> Any:
    """The value from its plain form. Reads `arrays` in the order in which they were written."""
    place = 0

    def build(value: Any) -> Any:
        nonlocal place
        if isinstance(value, list):
            return [build(one) for one in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"[]"}:
            kind, shape = np.dtype(value["[]"][0]), tuple(value["[]"][1])
            if kind.kind not in "biuf" or any(not isinstance(side, int) or side < 0 for side in shape):
                raise ValueError("no array of numbers")
            count = int(np.prod(shape, dtype=np.int64))
            array = np.frombuffer(arrays, kind, count, place).reshape(shape)
            place += array.nbytes
            return array
        if set(value) == {"="}:
            name, fields = value["="]
            return _KINDS[RENAMED_EVENTS.get(name, name)](**build(with_present_names(fields, RENAMED_FIELDS)))
        if set(value) == {"()"}:
            return tuple(build(one) for one in value["()"])
        return {key: build(one) for key, one in value.items()}

    return build(value)
