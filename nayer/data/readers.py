"""Labeled images as arrays, from a few file formats; `teachers` and `test_sets` choose the files."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from nayer.common.files import open_file
from nayer.data.image_decoding import check_amount, decode
from nayer.data.parquet import numbered_rows
from nayer.errors import AssetError

MAX_IDX_BYTES = 256 << 20  # packed or unpacked


Labeled: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int64]]  # images (n, c, h, w), labels (n,)


def read_idx(images: Path, labels: Path) -> Labeled:
    """A pair of gzipped IDX files as MNIST's (LeCun): images (n, 1, h, w) and labels (n,)."""
    pixels, marks = _idx(images), _idx(labels)
    if pixels.ndim != 3 or marks.ndim != 1 or len(pixels) != len(marks):
        raise AssetError(f"{images.name} and {labels.name} must have one label per image; download them again.")
    return pixels[:, None], marks.astype(np.int64)


def _idx(path: Path) -> NDArray[np.uint8]:
    try:
        with open_file(path, MAX_IDX_BYTES) as packed, gzip.open(packed) as file:
            *kind, rank = file.read(4)
            if kind != [0, 0, 8] or not 1 <= rank <= 3:  # two zeros, then the code of uint8
                raise ValueError("not uint8")
            shape = tuple(int.from_bytes(file.read(4), "big") for _ in range(rank))
            count = math.prod(shape)
            if count > MAX_IDX_BYTES:
                raise ValueError("too many")
            raw = file.read(count + 1)  # it unpacks no more than the shape needs
        return np.frombuffer(raw, np.uint8).reshape(shape).copy()
    except (OSError, EOFError, ValueError, zlib.error):
        raise AssetError(
            f"{path.name} is missing or not a gzipped IDX file; install dataset-fashion-mnist or name its folder."
        ) from None


def read_parquet(path: Path, channels: int, size: int) -> Labeled:
    """A table with encoded pictures in `img` (or `image`) and class numbers in `label`, as the Hub's data sets have.

    Raises AssetError.
    """
    rows = numbered_rows(path)
    check_amount(len(rows), path.name, channels, size)
    images = np.stack([decode(data, path.name, channels, size) for data, _ in rows])
    return images, np.array([label for _, label in rows], np.int64)


def read_digits() -> Labeled:
    """Scikit-learn's 1,797 handwritten digits: (n, 1, 8, 8), their 17 gray levels spread over 0…255."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images: NDArray[np.uint8] = np.rint(digits.images[:, None] * (255.0 / 16.0)).astype(np.uint8)
    return images, digits.target.astype(np.int64)


def digits_for_testing(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of the 500 digits, 50 a class, that no teacher learns from: the draw never changes."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0)).numpy()
    return np.sort(order[balanced(labels[order], 50)])


def balanced(labels: NDArray[np.int64], per_class: int) -> NDArray[np.int64]:
    """The places of the first `per_class` images of every class, in their order."""
    places = [np.flatnonzero(labels == label)[:per_class] for label in np.unique(labels)]
    return np.sort(np.concatenate(places))
