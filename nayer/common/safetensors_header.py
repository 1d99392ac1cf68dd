"""The header of a safetensors file, checked before any number is read. Needs no torch."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nayer.common.files import open_file, size_in_words
from nayer.errors import AssetError

MAX_HEADER_BYTES = 1 << 20
MAX_TENSORS = 2_000
_LENGTH = struct.Struct("<Q")  # the header's length comes first
HEADER_BYTES = _LENGTH.size + MAX_HEADER_BYTES  # from the start of a file; the header is among them


@dataclass(frozen=True)
class Header:
    """`tensors`: by name, dtype, shape and place as the file says. `about`: the texts of its metadata."""

    tensors: dict[str, Any]
    about: dict[str, str]


def header(content: bytes, name: str, max_tensors: int = MAX_TENSORS) -> Header:
    """The header of a file that begins with `content`, parsed only if its length is plausible.

    Raises AssetError, with `name` as the file's name, if it is not such a file.
    """
    length = _LENGTH.unpack(content[: _LENGTH.size])[0] if len(content) >= _LENGTH.size else 0
    if not 2 <= length <= min(MAX_HEADER_BYTES, len(content) - _LENGTH.size):
        raise AssetError(f"{name} is not a safetensors file")
    try:
        found = json.loads(content[_LENGTH.size : _LENGTH.size + length], object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        raise AssetError(f"{name} is not a safetensors file") from None
    if not isinstance(found, dict) or not all(isinstance(entry, dict) for entry in found.values()):
        raise AssetError(f"{name} is not a safetensors file")
    about = found.pop("__metadata__", {})
    if not isinstance(about, dict) or not all(isinstance(text, str) for text in about.values()):
        raise AssetError(f"{name} is not a safetensors file")
    if len(found) > max_tensors:
        raise AssetError(f"{name} contains {len(found):,} tensors; at most {max_tensors:,} are read")
    return Header(found, about)


def read_tensor_file(path: Path, limit: int, max_tensors: int = MAX_TENSORS) -> bytes:
    """The content of a regular file of at most `limit` bytes; the rest of it only once its header is plausible.

    Raises OSError as `files.open_file` does, and AssetError if it is not a safetensors file.
    """
    with open_file(path, limit) as file:
        content = file.read(HEADER_BYTES)
        header(content, path.name, max_tensors)
        content += file.read(limit + 1 - len(content))
    if len(content) > limit:
        raise AssetError(f"{path.name} is larger than {size_in_words(limit)}")
    return content


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key appears twice")
    return dict(pairs)
