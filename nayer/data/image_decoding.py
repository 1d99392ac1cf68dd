"""Encoded pictures → pixels. Nothing is decoded before its size is known."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nayer.data.image_metadata import orientation, without_metadata
from nayer.errors import AssetError

FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
MAX_PIXEL_BYTES = 1 << 30  # of all decoded pictures of a data set
MAX_SIDE = 1024  # px; larger pictures are refused before they are decoded
_TURNS = {  # by orientation, as Exif numbers them
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes, name: str, channels: int, size: int) -> NDArray[np.uint8]:
    """An encoded picture as (c, size, size): the middle square of an oblong picture, resized if needed.

    It is turned as its EXIF says. Transparent parts become white. 16 bits become the upper 8. AssetError names the
    picture if it is larger than `MAX_SIDE`, is animated, or cannot be read.
    """
    with _opened(data, name) as picture:
        try:
            plain = _plain(picture, channels)
        except Exception:  # a decoder can raise any exception
            raise _unreadable(name) from None
    if plain.size != (size, size):
        side = min(plain.size)
        left, top = (plain.width - side) // 2, (plain.height - side) // 2
        plain = plain.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    pixels = np.asarray(plain, dtype=np.uint8)  # (h, w) or (h, w, c)
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def check_amount(count: int, name: str, channels: int, size: int) -> None:
    """Raises AssetError if `count` pictures (channels, size, size) take more than `MAX_PIXEL_BYTES`."""
    if count * channels * size * size > MAX_PIXEL_BYTES:
        most = MAX_PIXEL_BYTES // (channels * size * size)
        raise AssetError(f"{name} contains {count:,} images; at most {most:,} of {size} × {size} px are read.")


def side_and_gray(data: bytes, name: str) -> tuple[int, bool]:
    """The shorter side of an encoded picture in px, and whether its format is gray; it decodes nothing."""
    with _opened(data, name) as picture:
        return min(picture.size), picture.mode in ("1", "L", "LA") or picture.mode.startswith("I")


def area(data: bytes, name: str) -> int:
    """The pixels of an encoded picture, as its header says."""
    with _opened(data, name) as picture:
        return picture.width * picture.height


def suffix(data: bytes) -> str:
    """The file name's ending for an encoded picture, found from its bytes."""
    with _opened(data, "a picture") as picture:
        return {"JPEG": ".jpg"}.get(str(picture.format), f".{picture.format}".lower())


def _opened(data: bytes, name: str) -> Image.Image:
    try:
        pixels, exif = without_metadata(data)
        picture = Image.open(io.BytesIO(pixels), formats=FORMATS)
        picture.info["exif"] = exif or picture.info.get("exif", b"")
        frames = getattr(picture, "n_frames", 1)
    except Exception:  # a parser can raise any exception
        raise _unreadable(name) from None
    width, height = picture.size
    if max(width, height) > MAX_SIDE:
        raise AssetError(f"{name} is {width} × {height} px; at most {MAX_SIDE} px per side are read.")
    if frames > 1:
        raise AssetError(f"{name} is an animation with {frames} frames; use a still image.")
    return picture


def _plain(picture: Image.Image, channels: int) -> Image.Image:
    turn = _TURNS.get(orientation(picture.info["exif"]))
    if picture.mode.startswith("I"):  # 16 bits, or 32 of which PNG's 16 are filled; Pillow would cut them at 255
        picture = Image.fromarray((np.asarray(picture).astype(np.int64) // 256).clip(0, 255).astype(np.uint8))
    if turn is not None:
        picture = picture.transpose(turn)
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        ground = Image.new("RGBA", seen.size, "white")
        picture = Image.alpha_composite(ground, seen)
    return picture.convert("L" if channels == 1 else "RGB")


def _unreadable(name: str) -> AssetError:
    return AssetError(f"{name} is not a readable image; use PNG, JPEG, BMP or WebP.")
