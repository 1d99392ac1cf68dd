"""The rows of a parquet file, read in a process of its own.

pyarrow ends its whole process at some damaged files (C++ exceptions that nothing catches), and it holds Python's lock
while it reads the metadata of many columns. Here the process that ends is not the caller's, which gets one sentence.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from nayer.common.files import size_in_words
from nayer.data.parquet_pages import largest_chunk
from nayer.errors import AssetError

ROWS = 256  # read at a time, at most
BATCH_BYTES = 64 << 20  # of them, at most: one entry of a file can be the picture of every row
MAX_GROUP_BYTES = 256 << 20  # of a column in a row group, unpacked; it is read as a whole
MAX_FOOTER_ITEMS, MAX_FOOTER_TEXT = 200_000, 16 << 20  # of the file's own metadata
PICTURE_COLUMNS = ("image", "img", "picture")
LABEL_COLUMNS = ("label", "labels", "fine_label", "class")
LONGEST = 60  # s for the metadata, and until each further row
MOST_MEMORY = 2 << 30  # bytes of the process
NICER = 5  # steps of priority below the caller's, whose page goes before
_BEGIN = "import sys; sys.path[:] = {path!a}; from nayer.data.parquet_rows import serve; serve({name!a})"
_HEAD = struct.Struct("<I")  # bytes of the JSON that follows

Row = tuple[bytes, Any, list[str]]


def rows(source: BinaryIO | bytes, name: str) -> Iterator[Row]:
    """Each row's encoded picture, its label, and the names that the file has for labels that are numbers.

    `source`: the content, or an open regular file. Raises AssetError, with `name` as the file's name, for a file that
    cannot be read.
    """
    process = _begun(source, name)
    assert process.stdout is not None
    names: list[str] = []
    try:
        while (head := _head(process.stdout)) is not None:
            match head:
                case {"names": found}:
                    names = found
                case {"error": sentence}:
                    raise AssetError(sentence)
                case [label, int(size)]:
                    data = process.stdout.read(size)
                    if len(data) < size:
                        break
                    yield data, label, names
                case "end":
                    return
        raise _slow(name) if process.wait() == -getattr(signal, "SIGALRM", 0) else unfit(name)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def unfit(name: str) -> AssetError:
    """The error for a file that is damaged, or that has other columns."""
    return AssetError(f"{name} is missing, damaged or has no columns image and label; name a file that has them.")


def _slow(name: str) -> AssetError:
    return AssetError(f"{name} takes more than {LONGEST} s to read; write it with smaller row groups.")


def _begun(source: BinaryIO | bytes, name: str) -> subprocess.Popen[bytes]:
    path = [place for place in sys.path if place] or [os.getcwd()]
    command = [sys.executable, "-W", "ignore", "-c", _BEGIN.format(path=path, name=name)]
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}
    inlet = subprocess.PIPE if isinstance(source, bytes) else source
    try:
        process = subprocess.Popen(
            command, stdin=inlet, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
    except OSError as error:
        raise AssetError(f"{name} cannot be read ({error.strerror}); try again.") from None
    if isinstance(source, bytes):
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended already, and its answer says why
            process.stdin.write(source)
        with contextlib.suppress(OSError):
            process.stdin.close()
    return process


def _head(pipe: BinaryIO | Any) -> Any:
    """The next JSON; None at the end of the pipe."""
    length = pipe.read(_HEAD.size)
    text = pipe.read(_HEAD.unpack(length)[0]) if len(length) == _HEAD.size else b""
    try:
        return json.loads(text)
    except ValueError:  # cut off
        return None


# --- the process ---------------------------------------------------------------------------------------------------


def serve(name: str) -> None:
    """The main function of the process: reads the file at its standard input, and writes the rows to its output."""
    _bound()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the output of a library is no answer
    source = sys.stdin.buffer if sys.stdin.buffer.seekable() else io.BytesIO(sys.stdin.buffer.read())
    try:
        told: list[str] | None = None
        for data, label, names in rows_here(source, name):
            _more_time()
            if told is None:
                told = names
                _tell(answers, {"names": names})
            _tell(answers, [label, len(data)], data)
        _tell(answers, "end")
    except AssetError as error:
        _tell(answers, {"error": str(error)})
    answers.close()


def _tell(answers: BinaryIO, head: Any, data: bytes = b"") -> None:
    text = json.dumps(head).encode()
    answers.write(_HEAD.pack(len(text)) + text)
    answers.write(data)


def _bound() -> None:
    """The system ends this process when it takes too long, or gives it no more memory."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows, or a lower bound from outside
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    if hasattr(os, "nice"):
        os.nice(NICER)
    _more_time()


def _more_time() -> None:
    if hasattr(signal, "alarm"):
        signal.alarm(LONGEST)


def rows_here(source: BinaryIO, name: str) -> Iterator[Row]:
    """The same as `rows`, in this process, which some damaged files end."""
    import pyarrow.parquet

    limits = {"thrift_string_size_limit": MAX_FOOTER_TEXT, "thrift_container_size_limit": MAX_FOOTER_ITEMS}
    try:
        with pyarrow.parquet.ParquetFile(source, **limits) as file:
            yield from _cells(file, source, name)
    except (
        OSError,
        LookupError,
        ValueError,
        TypeError,
        ArithmeticError,
        MemoryError,
        RuntimeError,
        pyarrow.ArrowException,
    ):
        raise unfit(name) from None


def _cells(file: Any, source: BinaryIO, name: str) -> Iterator[Row]:
    columns = file.schema_arrow.names
    pictures = next(name for name in [*PICTURE_COLUMNS, ""] if name in columns or not name)
    labels = next(name for name in [*LABEL_COLUMNS, ""] if name in columns or not name)
    if not pictures or not labels:
        raise KeyError("image, label")
    read = [_picture_column(file.schema_arrow.field(pictures)), _label_column(file.schema_arrow.field(labels))]
    names = _class_names(file.schema_arrow.metadata or {}, labels)
    largest = largest_chunk(source, file.metadata, (pictures, labels))
    if largest > MAX_GROUP_BYTES:
        raise AssetError(
            f"{name} has a row group of more than {size_in_words(MAX_GROUP_BYTES)}; write it with smaller row groups."
        )
    at_once = min(ROWS, max(1, BATCH_BYTES // max(1, largest)))
    for batch in file.iter_batches(at_once, columns=read, use_threads=False):
        for picture, label in zip(batch[pictures].to_pylist(), batch[labels].to_pylist(), strict=True):
            data = picture["bytes"] if isinstance(picture, dict) else picture
            if not isinstance(data, bytes) or isinstance(label, float) or label is None:
                raise TypeError("an image without an encoded picture or without a label")
            yield data, label, names


def _picture_column(field: Any) -> str:
    """The column of bytes in the column of the pictures. TypeError for lists, which may be long in a few bytes."""
    from pyarrow import types

    kind = field.type
    if types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        return f"{field.name}.{_bytes_column(kind.field('bytes'))}"
    return _bytes_column(field)


def _bytes_column(field: Any) -> str:
    from pyarrow import types

    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    if not (types.is_binary(kind) or types.is_large_binary(kind)):
        raise TypeError("pictures that are no bytes")
    return str(field.name)


def _label_column(field: Any) -> str:
    from pyarrow import types

    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    if not any(fits(kind) for fits in (types.is_integer, types.is_string, types.is_large_string, types.is_boolean)):
        raise TypeError("labels that are neither numbers nor texts")
    return str(field.name)


def _class_names(metadata: dict[bytes, bytes], column: str) -> list[str]:
    """The class names that `datasets` writes into a file's schema; empty if there are none."""
    try:
        return [str(name) for name in json.loads(metadata[b"huggingface"])["info"]["features"][column]["names"]]
    except (KeyError, ValueError, TypeError, RecursionError):
        return []
