"""Labeled images of a user as arrays: for training a teacher and for testing students."""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nayer.data.image_decoding import area, check_amount, decode, side_and_gray
from nayer.data.image_folders import Limits, Picture, files_below, pictures_in
from nayer.data.parquet import pictures_in_parquet, pictures_on_the_hub
from nayer.data.readers import Labeled
from nayer.errors import AssetError, ConfigError
from nayer.networks.specs import SIDES
from nayer.text_rules import check_names

HUB_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}|[\w-]{1,96}")
MIN_PER_CLASS = 2  # training images per class
HELD_OUT = 5  # if the data names no test images, every fifth image of a class is one
LOOKED_AT = 200  # pictures that decide on size and color


@dataclass(frozen=True)
class OwnImages:
    """`training` and `testing` are (n, c, size, size) uint8 and labels (n,), the places in `classes`."""

    classes: tuple[str, ...]
    training: Labeled
    testing: Labeled
    held_out: tuple[Picture, ...]  # the pictures of `testing`, if they come from the training pictures


def find_pictures(data: str, field: str = "data") -> list[Picture]:
    """The pictures in a folder, a zip or parquet file, or in a data set on the Hub.

    Raises NayerError, which names `field` if nothing has that name.
    """
    path = Path(data)
    if os.path.isdir(path):
        tables = files_below(path, (".parquet",), Limits())
        return pictures_in_parquet(tables) if tables else pictures_in(path)
    if os.path.lexists(path):
        return pictures_in_parquet([path]) if path.suffix.lower() == ".parquet" else pictures_in(path)
    if HUB_ID.fullmatch(data):
        return pictures_on_the_hub(data, field)
    raise ConfigError(
        f"{field}={data[:100]!r} does not exist; name a folder, a zip or parquet file, or a data set on the Hub."
    )


def read_own(pictures: Sequence[Picture], *, size: int = 0, gray: bool | None = None) -> OwnImages:
    """Training and test images, all of one size and kind.

    `size` 0 takes the pictures' own size within 8 to 64 px. `gray` None makes them gray if all are gray.
    Test images are those in a folder `test`, else every fifth of a class. Raises NayerError for fewer than two classes
    or too few images of a class.
    """
    labels = sorted({picture.label for picture in pictures}, key=_by_number)
    classes = check_names([readable(label) for label in labels])
    place = {label: i for i, label in enumerate(labels)}
    size, channels = _form(pictures, size, gray)
    testing = [picture for picture in pictures if picture.split == "test"]
    training = [picture for picture in pictures if picture.split != "test"]
    own_split = bool(testing)
    if not own_split:
        training, testing = _split(training)
    counts = Counter(picture.label for picture in training)
    for label in labels:
        if counts[label] < MIN_PER_CLASS:
            raise AssetError(
                f"class {readable(label)!r} has {counts[label]} training images; it needs at least {MIN_PER_CLASS}."
            )
    return OwnImages(
        classes,
        _arrays(training, place, channels, size),
        _arrays(testing, place, channels, size),
        () if own_split else tuple(testing),
    )


def labeled_as(
    pictures: Sequence[Picture], classes: Sequence[str], channels: int, size: int, most_pixels: float = math.inf
) -> Labeled:
    """Pictures for testing, their labels matched to a teacher's `classes` by name; training pictures are left out.

    `most_pixels`: of all of them together, as they are encoded; to decode them takes a second for some millions.

    Labels that are numbers, not names, are places in `classes`. Raises AssetError naming the classes that the teacher
    does not know.
    """
    tests = [picture for picture in pictures if picture.split == "test"] or list(pictures)
    known = {_folded(name): place for place, name in enumerate(classes)}
    if all(_by_number(picture.label)[0] < len(classes) and _folded(picture.label) not in known for picture in tests):
        known = {str(place): place for place in range(len(classes))}
    strangers = sorted({picture.label for picture in tests if _folded(picture.label) not in known})
    if strangers:
        examples = ", ".join(repr(name[:40]) for name in strangers[:5])
        raise AssetError(
            f"test_data has classes that the teacher does not know ({examples}); the teacher knows {_listed(classes)}."
        )
    if most_pixels < math.inf and sum(area(picture.data, picture.name) for picture in tests) > most_pixels:
        raise AssetError(
            f"test_data has more than {most_pixels / 1e6:,.0f} million pixels in all images; use fewer pixels."
        )
    place = {picture.label: known[_folded(picture.label)] for picture in tests}
    return _arrays(sorted(tests, key=lambda picture: place[picture.label]), place, channels, size)


def readable(label: str) -> str:
    """A folder's name as a text encoder should read it."""
    return " ".join(re.split(r"[\s_/\\]+", label)).strip(" .")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", readable(name)).casefold()


def _by_number(label: str) -> tuple[int, str]:
    return (int(label), "") if re.fullmatch(r"[0-9]{1,6}", label) else (10**6, label)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _form(pictures: Sequence[Picture], size: int, gray: bool | None) -> tuple[int, int]:
    """Side in px and channels."""
    low, high = SIDES
    if size and not low <= size <= high:
        raise ConfigError(f"size must be {low} to {high} px, or 0 for the images' own size; {size} was given.")
    step = max(1, len(pictures) // LOOKED_AT)
    seen = [side_and_gray(picture.data, picture.name) for picture in pictures[::step]]
    sides = sorted(side for side, _ in seen)
    gray = all(is_gray for _, is_gray in seen) if gray is None else gray
    return size or min(high, max(low, sides[len(sides) // 2])), 1 if gray else 3


def _split(pictures: Sequence[Picture]) -> tuple[list[Picture], list[Picture]]:
    """Training and test pictures; a class's are spread evenly, the same at every call."""
    training: list[Picture] = []
    testing: list[Picture] = []
    counts: Counter[str] = Counter()
    for picture in pictures:
        counts[picture.label] += 1
        (testing if counts[picture.label] % HELD_OUT == 0 else training).append(picture)
    if not testing:
        raise AssetError(
            f"every class needs at least {HELD_OUT} images, or there must be a folder named test; add images."
        )
    return training, testing


def _arrays(pictures: Sequence[Picture], place: dict[str, int], channels: int, size: int) -> Labeled:
    check_amount(len(pictures), "data", channels, size)
    images = np.empty((len(pictures), channels, size, size), np.uint8)
    for image, picture in zip(images, pictures, strict=True):
        image[:] = decode(picture.data, picture.name, channels, size)
    return images, np.array([place[picture.label] for picture in pictures], np.int64)
