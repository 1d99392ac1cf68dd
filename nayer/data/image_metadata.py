"""Encoded pictures without their metadata, and the one part of it that matters: how a picture is to be turned.

Pillow reads metadata into memory when it opens a picture. A few bytes of Exif can name the same megabyte thousands of
times, and texts of a PNG unpack to a thousand times their size. Parts that are not for the pixels never reach it.
"""

from __future__ import annotations

import struct

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
# Chunks of a PNG: its pixels, and what says that it moves. https://www.w3.org/TR/png-3/
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL", b"fcTL", b"fdAT", b"IEND"})
# Segments of a JPEG by their markers. https://www.w3.org/Graphics/JPEG/itu-t81.pdf, table B.1
_JPEG_KEPT = dict.fromkeys({*range(0xC0, 0xD0), 0xDB, 0xDD} - {0xC8}, b"")  # its frame and its tables
_JPEG_KEPT |= {0xE0: b"JFIF", 0xEE: b"Adobe"}  # if they begin so, they say how colors are stored
_BARE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})  # nothing follows these markers
_SCAN, _END, _APP1 = 0xDA, 0xD9, 0xE1
MOST_SCANS = 100  # of a JPEG; a progressive one has about ten, and each goes through all of the picture
_EXIF = b"Exif\0\0"
_ORIENTATION, _SHORT, _LONG = 0x0112, 3, 4  # CIPA DC-008 (Exif), orientation of image
_ENTRIES = 1000  # of a directory that are looked at; they are in the order of their numbers


def without_metadata(data: bytes) -> tuple[bytes, bytes]:
    """A PNG or JPEG with its pixels alone, and its Exif; anything else as it is.

    Raises ValueError for a JPEG without pixels, or with scans that take minutes.
    """
    if data.startswith(_PNG):
        return _png(data)
    if data.startswith(_JPEG):
        return _jpeg(data)
    return data, b""


def orientation(exif: bytes) -> int:
    """How the picture is to be turned, 1 to 8 as Exif says; 1 if it does not say."""
    exif = exif.removeprefix(_EXIF)
    order = {b"II": "<", b"MM": ">"}.get(exif[:2], "")
    if not order or len(exif) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}L", exif, 4)
    if start + 2 > len(exif):
        return 1
    (count,) = struct.unpack_from(f"{order}H", exif, start)
    entry = struct.Struct(f"{order}HHL")
    for place in range(start + 2, start + 2 + 12 * min(count, _ENTRIES), 12):
        if place + 12 > len(exif):
            break
        tag, kind, values = entry.unpack_from(exif, place)
        if tag == _ORIENTATION and kind in (_SHORT, _LONG) and values == 1:
            (found,) = struct.unpack_from(order + ("H" if kind == _SHORT else "L"), exif, place + 8)
            return found if 1 <= found <= 8 else 1
    return 1


def _png(data: bytes) -> tuple[bytes, bytes]:
    kept, exif, place = [_PNG], b"", len(_PNG)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">L4s", data, place)
        end = place + 12 + length  # with the checksum
        if kind in _PNG_KEPT:
            kept.append(data[place:end])
        elif kind == b"eXIf":
            exif = exif or data[place + 8 : place + 8 + length]
        place = end if kind != b"IEND" else len(data)
    return b"".join(kept), exif


def _jpeg(data: bytes) -> tuple[bytes, bytes]:
    kept, exif, place = [_JPEG], b"", len(_JPEG)
    while (place := data.find(b"\xff", place)) >= 0 and place + 4 <= len(data):
        marker, length = struct.unpack_from(">xBH", data, place)
        end = place + 2 + length
        if marker == 0xFF:  # a fill byte
            end = place + 1
        elif marker in _BARE:
            end = place + 2
        elif marker == _SCAN and data.count(bytes([0xFF, _SCAN]), place) > MOST_SCANS:
            break
        elif marker == _SCAN:
            return b"".join([*kept, data[place:]]), exif
        elif marker == _END or length < 2:
            break
        elif data.startswith(_JPEG_KEPT.get(marker, _EXIF), place + 4):
            if marker in _JPEG_KEPT:
                kept.append(data[place:end])
            elif marker == _APP1:
                exif = exif or data[place + 4 : end]
        place = end
    raise ValueError("a JPEG without pixels, or with too many scans")
