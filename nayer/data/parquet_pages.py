"""The true sizes of the pages of a parquet file: its list of contents may state any size, and readers believe it.

Each page has a header with its size, in Thrift's compact protocol
(https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). The fields are those of PageHeader
in https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO

MAX_PAGES = 20_000  # of the columns that are read; a usual page has about 1 MB
MAX_CHUNKS = 200_000  # columns of all row groups
_KIND, _UNPACKED, _PACKED = 1, 2, 3  # fields of a page's header
_DATA = {0: 5, 3: 8}  # kind of a page with values -> the field with its own header
_COUNT = 1  # the number of values, in the header of a data page
_DEEPEST = 8  # structures within each other


def largest_chunk(source: BinaryIO, metadata: Any, columns: Collection[str]) -> int:
    """The most bytes that one of these columns has in a row group, unpacked.

    `metadata` is what pyarrow read of the file. Raises ValueError if a column has more than its list of contents says,
    or if its pages cannot be followed.
    """
    if metadata.num_row_groups * metadata.num_columns > MAX_CHUNKS:
        raise ValueError("too many columns or row groups")
    largest, pages = 0, 0
    for group in (metadata.row_group(place) for place in range(metadata.num_row_groups)):
        for chunk in (group.column(place) for place in range(metadata.num_columns)):
            if chunk.path_in_schema.split(".")[0] not in columns:
                continue
            size = 0
            for page in _pages(source, chunk):
                size, pages = size + page, pages + 1
                if pages > MAX_PAGES or size > chunk.total_uncompressed_size:
                    raise ValueError("more pages or bytes than stated")
            largest = max(largest, chunk.total_uncompressed_size)
    return largest


def _pages(source: BinaryIO, chunk: Any) -> Iterator[int]:
    """The bytes of each page, unpacked. A reader stops at the page that completes the values."""
    place = chunk.data_page_offset
    if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < place:
        place = chunk.dictionary_page_offset
    end, values = place + chunk.total_compressed_size, 0
    while values < chunk.num_values:
        source.seek(place)
        header = _struct(source, 0)
        packed, unpacked = header[_PACKED], header[_UNPACKED]
        count = header[_DATA[header[_KIND]]][_COUNT] if header[_KIND] in _DATA else 0
        place = source.tell() + packed
        if min(packed, unpacked, count) < 0 or place > end:
            raise ValueError("a page that does not fit")
        values += count
        yield unpacked


def _struct(source: BinaryIO, depth: int) -> dict[int, Any]:
    """The whole numbers and structures of a structure, by the numbers of their fields."""
    if depth > _DEEPEST:
        raise ValueError("structures too deep")
    found: dict[int, Any] = {}
    field = 0
    while head := _byte(source):
        field = field + (head >> 4) if head >> 4 else _whole(source)
        if field in found:
            raise ValueError("a field a second time")
        found[field] = _value(source, head & 15, depth)
    return found


def _value(source: BinaryIO, kind: int, depth: int) -> Any:
    """A whole number or a structure; None for all else, which is passed over."""
    match kind:
        case 1 | 2:  # true and false, which are their kind
            return None
        case 3:
            return _byte(source)
        case 4 | 5 | 6:
            return _whole(source)
        case 7:
            _pass_over(source, 8)
        case 8:
            _pass_over(source, _number(source))
        case 12:
            return _struct(source, depth + 1)
        case _:  # lists, sets and maps, which no header of a page has
            raise ValueError("a kind of field that is no page's")
    return None


def _pass_over(source: BinaryIO, count: int) -> None:
    source.seek(count, io.SEEK_CUR)


def _whole(source: BinaryIO) -> int:
    number = _number(source)
    return (number >> 1) ^ -(number & 1)


def _number(source: BinaryIO) -> int:
    """A number of at most 32 bits. Readers differ on the rest of a longer one."""
    number = 0
    for shift in range(0, 35, 7):
        byte = _byte(source)
        number |= (byte & 127) << shift
        if byte < 128:
            if number >> 32:
                break
            return number
    raise ValueError("a number that is too long")


def _byte(source: BinaryIO) -> int:
    byte = source.read(1)
    if not byte:
        raise ValueError("the end of the file")
    return byte[0]
