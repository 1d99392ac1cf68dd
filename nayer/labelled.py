"""Labelled images as arrays, from the few file formats they come in; `teach` and `testsets` choose what is read."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from nayer.errors import AssetError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
MAX_SIDE = 1024  # px; larger pictures are refused before they are decoded


Labelled: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int64]]  # images (n, c, h, w), labels (n,)


def read_idx(images: Path, labels: Path) -> Labelled:
    """A pair of gzipped IDX files as MNIST's (LeCun): images (n, 1, h, w) and labels (n,)."""
    pixels, marks = _idx(images), _idx(labels)
    if pixels.ndim != 3 or marks.ndim != 1 or len(pixels) != len(marks):
        raise AssetError(f"{images.name} and {labels.name} do not hold one label an image; get them anew.")
    return pixels[:, None], marks.astype(np.int64)


def _idx(path: Path) -> NDArray[np.uint8]:
    try:
        raw = gzip.decompress(path.read_bytes())
        rank = raw[3]
        shape = tuple(int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank))
        if raw[:3] != b"\x00\x00\x08":  # two zeros, then the code of uint8
            raise ValueError("not uint8")
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape).copy()
    except (OSError, EOFError, ValueError, IndexError):
        raise AssetError(
            f"{path.name} is missing or no gzipped IDX file; install dataset-fashion-mnist or name its folder."
        ) from None


def read_parquet(path: Path, channels: int, size: int) -> Labelled:
    """A table with encoded pictures in `img` (or `image`) and class numbers in `label`, as the Hub's data sets have."""
    try:
        import pyarrow.parquet
    except ImportError:
        raise AssetError(f"{path.name} needs pyarrow to be read; install it with pip install pyarrow.") from None
    try:
        table = pyarrow.parquet.read_table(path)
        column = "img" if "img" in table.column_names else "image"
        pictures: list[dict[str, Any]] = table[column].to_pylist()
        labels = np.asarray(table["label"].to_pylist(), dtype=np.int64)
    except (OSError, KeyError, ValueError, TypeError):
        raise AssetError(
            f"{path.name} is missing or has no columns img and label; name a folder with such a file."
        ) from None
    return np.stack([decode(picture["bytes"], path.name, channels, size) for picture in pictures]), labels


def read_class_folders(folder: Path, classes: tuple[str, ...], channels: int, size: int) -> Labelled:
    """One folder of pictures a class, named after it; other files are left alone."""
    images, labels = [], []
    for label, name in enumerate(classes):
        for path in sorted((folder / name).glob("*")):
            if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith("."):
                images.append(decode(path.read_bytes(), path.name, channels, size))
                labels.append(label)
    if not images:
        raise AssetError(f"{folder.name} holds no pictures in folders named after the classes, such as {classes[0]!r}.")
    return np.stack(images), np.asarray(labels, dtype=np.int64)


def read_digits() -> Labelled:
    """Scikit-learn's 1,797 handwritten digits: (n, 1, 8, 8), their 17 grey levels spread over 0…255."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images: NDArray[np.uint8] = np.rint(digits.images[:, None] * (255.0 / 16.0)).astype(np.uint8)
    return images, digits.target.astype(np.int64)


def digits_for_testing(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of the 500 digits, 50 a class, that no teacher learns from: the same draw for ever."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0)).numpy()
    return np.sort(order[balanced(labels[order], 50)])


def balanced(labels: NDArray[np.int64], per_class: int) -> NDArray[np.int64]:
    """The places of the first `per_class` images of every class, in their order."""
    places = [np.flatnonzero(labels == label)[:per_class] for label in np.unique(labels)]
    return np.sort(np.concatenate(places))


def decode(data: bytes, name: str, channels: int, size: int) -> NDArray[np.uint8]:
    """An encoded picture as (c, size, size): the middle square of an oblong one, resized where it does not fit."""
    try:
        with Image.open(io.BytesIO(data), formats=["PNG", "JPEG", "BMP", "WEBP"]) as picture:
            if max(picture.size) > MAX_SIDE:
                raise AssetError(
                    f"{name} is {picture.size[0]} × {picture.size[1]} px; at most {MAX_SIDE} a side are read."
                )
            plain = picture.convert("L" if channels == 1 else "RGB")
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError):
        raise AssetError(f"{name} is no picture that can be read; use PNG, JPEG, BMP or WebP.") from None
    if plain.size != (size, size):
        side = min(plain.size)
        left, top = (plain.width - side) // 2, (plain.height - side) // 2
        plain = plain.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    pixels = np.asarray(plain, dtype=np.uint8)  # (h, w) or (h, w, c)
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
