"""Labeled pictures in parquet files as data sets on the Hub have them, from the disk or from the Hub."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from nayer.common.files import open_file
from nayer.common.hub import HUB_SECONDS
from nayer.data.image_folders import TEST, TRAIN, Limits, Picture
from nayer.data.parquet_rows import rows, unfit
from nayer.errors import AssetError

CONVERTED = "refs/convert/parquet"  # where the Hub keeps every data set as parquet


def pictures_in_parquet(paths: Sequence[Path], limits: Limits | None = None) -> list[Picture]:
    """The pictures of these files in their order; a file's name gives its split, for example train-00000.parquet.

    Needs pyarrow. The column `image` (or `img`) holds encoded pictures, `label` names of classes, or numbers whose
    names are in the file. Raises AssetError in other cases.
    """
    limits = limits or Limits()
    return _taken((picture for path in paths for picture in _in_file(path, limits)), paths[0].name, limits)


def in_parquet(content: bytes, name: str, limits: Limits) -> list[Picture]:
    """The pictures of a file in memory, a few rows at a time; see `pictures_in_parquet`."""
    return _taken(_pictures(content, Path(name)), name, limits)


def numbered_rows(path: Path, limits: Limits | None = None) -> list[tuple[bytes, int]]:
    """Each row's encoded picture and the number of its class, even if the file names the classes. Raises AssetError."""
    limits = limits or Limits()
    _check_reader(path.name)
    found: list[tuple[bytes, int]] = []
    left = limits.bytes_in_all
    with _opened(path, limits) as file:
        for data, label, _ in rows(file, path.name):
            if not isinstance(label, int):
                raise unfit(path.name)
            left = _counted(data, len(found), path.name, left, limits)
            found.append((data, label))
    return found


def _taken(pictures: Iterator[Picture], name: str, limits: Limits) -> list[Picture]:
    _check_reader(name)
    found: list[Picture] = []
    left = limits.bytes_in_all
    for picture in pictures:
        left = _counted(picture.data, len(found), name, left, limits)
        found.append(picture)
    if not found:
        raise AssetError(f"{name} contains no images; name a file with images.")
    return found


def _check_reader(name: str) -> None:
    if importlib.util.find_spec("pyarrow") is None:
        raise AssetError(f"{name} needs pyarrow; run pip install pyarrow.")


def _counted(data: bytes, before: int, name: str, left: int, limits: Limits) -> int:
    """How many bytes may still come after this picture, which follows `before` others."""
    if len(data) > left or before >= limits.members:
        most = f"{limits.members:,} images or {limits.bytes_in_all >> 20} MB"
        raise AssetError(f"{name} contains more than {most}; use fewer images.")
    return left - len(data)


def pictures_on_the_hub(dataset: str, field: str = "data") -> list[Picture]:
    """The pictures of a data set, for example `mnist` or `owner/name`; AssetError if it or the Hub is out of reach."""
    try:
        from huggingface_hub import HfApi, hf_hub_download

        hub = HfApi()
        hub.dataset_info(
            dataset, timeout=HUB_SECONDS
        )  # without a network this fails at once, but a download fails late
        files = hub.list_repo_files(dataset, repo_type="dataset", revision=CONVERTED)
        names = [name for name in files if name.endswith(".parquet")]
        names = [name for name in names if name.split("/")[0] == names[0].split("/")[0]]  # its first configuration
        local = [Path(hf_hub_download(dataset, name, repo_type="dataset", revision=CONVERTED)) for name in names]
    except Exception:  # no network, no such data set, or a private one: the Hub does not say which
        raise AssetError(
            f"{field}={dataset[:100]!r} is not a folder or file on this machine, and the Hub does not provide it as "
            "a data set; check the name and the network, or name a folder with one folder of images per class."
        ) from None
    return pictures_in_parquet(local)


def _in_file(path: Path, limits: Limits) -> Iterator[Picture]:
    with _opened(path, limits) as file:
        yield from _pictures(file, path)


def _opened(path: Path, limits: Limits) -> BinaryIO:
    try:
        return open_file(path, limits.bytes_in_all)
    except OSError as error:
        raise AssetError(f"{path.name} cannot be read ({error.strerror}); name a parquet file.") from None


def _pictures(source: BinaryIO | bytes, path: Path) -> Iterator[Picture]:
    split = _split(path)
    for row, (data, label, names) in enumerate(rows(source, path.name)):
        number = isinstance(label, int) and 0 <= label < len(names)
        yield Picture(split, names[label] if number else str(label), f"{path.name}, row {row}", data)


def _split(path: Path) -> str:
    """By the file's name (train-00000-of-00001.parquet) or its folder's (default/train/0000.parquet)."""
    words = {*re.split(r"[^a-z]+", path.stem.lower()), path.parent.name.lower()}
    return "train" if words & TRAIN else "test" if words & TEST else ""
