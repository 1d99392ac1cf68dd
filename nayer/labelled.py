"""Labelled images as arrays, from the few file formats they come in; `teach` and `testsets` choose what is read."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from nayer.decoding import decode
from nayer.errors import AssetError

MAX_IDX_BYTES = 1 << 30  # unpacked


Labelled: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int64]]  # images (n, c, h, w), labels (n,)


def read_idx(images: Path, labels: Path) -> Labelled:
    """A pair of gzipped IDX files as MNIST's (LeCun): images (n, 1, h, w) and labels (n,)."""
    pixels, marks = _idx(images), _idx(labels)
    if pixels.ndim != 3 or marks.ndim != 1 or len(pixels) != len(marks):
        raise AssetError(f"{images.name} and {labels.name} do not hold one label an image; get them anew.")
    return pixels[:, None], marks.astype(np.int64)


def _idx(path: Path) -> NDArray[np.uint8]:
    try:
        with gzip.open(path) as file:
            raw = file.read(MAX_IDX_BYTES)
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
