"""Labeled test splits, for measuring only: nothing that trains a student may import this."""

from __future__ import annotations

import hashlib
import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nayer.common.files import read_file
from nayer.common.hub import HUB_SECONDS
from nayer.common.paths import ASSETS
from nayer.data import mnist
from nayer.data.custom_dataset import find_pictures, labeled_as
from nayer.data.emoji import TESTING, testing_images
from nayer.data.emoji_icons import holds_icon_sets
from nayer.data.readers import Labeled, read_idx, read_parquet
from nayer.errors import AssetError
from nayer.networks.cards import TeacherCard

FOLDER = ASSETS / "testsets"
IDX = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
CIFAR10 = ("uoft-cs/cifar10", "plain_text/test-00000-of-00001.parquet")  # the Hub's data set, and its test split
MAX_SHIPPED_BYTES = 64 << 20


@dataclass(frozen=True)
class TestSet:
    """`images`: (n, c, h, w) uint8; `labels`: (n,), the places in the teacher's classes; `source`: one sentence."""

    __test__: ClassVar[bool] = False  # not a test class, in spite of its name

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    source: str


@dataclass(frozen=True, slots=True)
class _Shipped:
    sha256: str  # of the file in assets/testsets
    source: str


SHIPPED = {
    "digits": _Shipped(
        "e08a0d0037ac3c4b2feaf5314cef5096d2501b2be1b6a1a3f6c8195499ae4154",
        "500 of scikit-learn's digits, 50 per class, which the teacher never saw",
    ),
    "fashion": _Shipped(
        "8d78d900d38f7823fce1079deff6bb9f19b8423ec529af58ba6998d7ac0629da",
        "2,000 test images of Fashion-MNIST, 200 per class",
    ),
    "mnist": _Shipped(
        "85f7cf6297656bca2c9ba1e3230516506c48f0c32329383acb6cfbe11cdcbf89",
        "2,000 of MNIST's digits, 200 a class, which the teacher never saw",
    ),
    "emoji10": _Shipped(
        "6861ec3133ffc1f45bd041502b36e4820eb2438943164cc75e6d16a9053b23c8",
        "600 images of emoji, 60 per class, in two styles that the teacher never saw (Noto and Twemoji)",
    ),
    "emoji100": _Shipped(
        "858cfb5585c976b1ade802d754fbe192663432d48caf576da30fbad126a577b0",
        "1,200 images of emoji, 12 per class, in two styles that the teacher never saw (Noto and Twemoji)",
    ),
}


def load_testset(card: TeacherCard, folder: str = "") -> TestSet | None:
    """Images that fit `card`: from `folder`, else the shipped ones, else from the Hub; None if none are available.

    `folder` holds `test.parquet` with the columns img and label, the two gzipped files of Fashion-MNIST's test images,
    the packages of emoji or of mnist, or one folder of pictures per class. It can also be a zip or parquet file or a
    data set on the Hub. Classes are matched by name. Raises NayerError if this fails.
    """
    return _read(card, folder)


def _read(card: TeacherCard, folder: str) -> TestSet | None:
    """The one function through which every test split is read."""
    if folder:
        return _from_folder(card, Path(folder))
    if card.testset in SHIPPED:
        return _shipped(card.testset)
    return _from_hub(card) if card.testset == "cifar10" else None


def _from_folder(card: TeacherCard, folder: Path) -> TestSet:
    spec = card.model
    if card.testset in TESTING and holds_icon_sets(folder):
        images, labels = testing_images(card.testset, folder)
    elif card.testset == "mnist" and mnist.holds_mnist(folder):
        images, labels = mnist.testing_images(folder)
    elif (folder / "test.parquet").is_file():
        images, labels = read_parquet(folder / "test.parquet", spec.channels, spec.size)
    elif (folder / IDX[0]).is_file():
        images, labels = read_idx(folder / IDX[0], folder / IDX[1])
    else:
        pictures = find_pictures(str(folder), field="test_data")
        images, labels = labeled_as(pictures, card.classes, spec.channels, spec.size)
    return _checked(card, (images, labels), f"{len(labels):,} images from {folder.name}")


def _shipped(name: str) -> TestSet:
    try:
        content = read_file(FOLDER / f"{name}.npz", MAX_SHIPPED_BYTES)
    except OSError:
        raise AssetError(f"testset={name!r} is missing; restore assets/testsets/{name}.npz.") from None
    if hashlib.sha256(content).hexdigest() != SHIPPED[name].sha256:
        raise AssetError(f"testset={name!r} does not match its SHA-256; restore assets/testsets/{name}.npz.")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return TestSet(arrays["images"], arrays["labels"], SHIPPED[name].source)


def _from_hub(card: TeacherCard) -> TestSet | None:
    """CIFAR-10's test split from the Hub's cache or the Hub, if there is a network and pyarrow (of `datasets`)."""
    if importlib.util.find_spec("pyarrow") is None:
        return None
    try:
        from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache

        path = try_to_load_from_cache(*CIFAR10, repo_type="dataset")
        if not isinstance(path, str):
            # One short request first, because a download without network would be retried for half a minute.
            HfApi().dataset_info(CIFAR10[0], timeout=HUB_SECONDS)
            path = hf_hub_download(*CIFAR10, repo_type="dataset")
    except Exception:  # offline mode, no network, no such file any more: the run can continue without test images
        return None
    images = read_parquet(Path(path), card.model.channels, card.model.size)
    return _checked(card, images, "CIFAR-10's 10,000 test images, from the Hugging Face Hub")


def _checked(card: TeacherCard, split: Labeled, source: str) -> TestSet:
    images, labels = split
    spec = card.model
    if images.shape[1:] != (spec.channels, spec.size, spec.size):
        raise AssetError(
            f"test_data has images of shape {images.shape[1:]}; the teacher needs "
            f"{(spec.channels, spec.size, spec.size)}."
        )
    if labels.min() < 0 or labels.max() >= len(card.classes):
        raise AssetError(
            f"test_data has labels from {labels.min()} to {labels.max()}; they must be 0 to {len(card.classes) - 1}."
        )
    return TestSet(images, labels, source)
