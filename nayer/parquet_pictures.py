"""Labelled pictures in parquet files as data sets on the Hub have them, from the disk or from the Hub."""

from __future__ import annotations

import importlib.util
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nayer.errors import AssetError
from nayer.picture_sources import TEST, TRAIN, Limits, Picture

ROWS = 256  # read at a time
FEW_ROWS = 16  # of a file that anybody may have sent: one short entry can stand for a large picture in every row
PICTURE_COLUMNS = ("image", "img", "picture")
LABEL_COLUMNS = ("label", "labels", "fine_label", "class")
HUB_SECONDS = 10.0  # how long the Hub may take to answer at all
CONVERTED = "refs/convert/parquet"  # where the Hub keeps every data set as parquet


def pictures_in_parquet(paths: Sequence[Path], limits: Limits | None = None) -> list[Picture]:
    """The pictures of these files in their order; a file's name says which split it is, such as train-00000.parquet.

    Needs pyarrow. The column `image` (or `img`) holds encoded pictures, `label` names of classes, or numbers whose
    names the file knows; AssetError where that is otherwise.
    """
    limits = limits or Limits()
    return _taken((picture for path in paths for picture in _readable_rows(path, path, ROWS)), paths[0].name, limits)


def in_parquet(content: bytes, name: str, limits: Limits) -> list[Picture]:
    """The pictures of a file in memory, a few rows at a time; see `pictures_in_parquet`."""
    return _taken(_readable_rows(io.BytesIO(content), Path(name), FEW_ROWS), name, limits)


def _taken(pictures: Iterator[Picture], name: str, limits: Limits) -> list[Picture]:
    if importlib.util.find_spec("pyarrow") is None:
        raise AssetError(f"{name} needs pyarrow to be read; install it with pip install pyarrow.")
    found: list[Picture] = []
    left = limits.bytes_in_all
    for picture in pictures:
        left -= len(picture.data)
        if left < 0 or len(found) >= limits.members:
            most = f"{limits.members:,} pictures or {limits.bytes_in_all >> 20} MB"
            raise AssetError(f"{name} holds more than {most}; use fewer.")
        found.append(picture)
    if not found:
        raise AssetError(f"{name} holds no pictures; name a file that does.")
    return found


def pictures_on_the_hub(dataset: str, field: str = "data") -> list[Picture]:
    """The pictures of a data set such as `mnist` or `owner/name`; AssetError where it or the Hub cannot be reached."""
    try:
        from huggingface_hub import HfApi, hf_hub_download

        hub = HfApi()
        hub.dataset_info(dataset, timeout=HUB_SECONDS)  # without a network this fails at once, a download only late
        files = hub.list_repo_files(dataset, repo_type="dataset", revision=CONVERTED)
        names = [name for name in files if name.endswith(".parquet")]
        names = [name for name in names if name.split("/")[0] == names[0].split("/")[0]]  # its first configuration
        local = [Path(hf_hub_download(dataset, name, repo_type="dataset", revision=CONVERTED)) for name in names]
    except Exception:  # no network, no such data set, a private one: which of them, the Hub does not say
        raise AssetError(
            f"{field}={dataset[:100]!r} is no folder or file here, and as a data set it cannot be fetched from the Hub;"
            " check the name and the network, or name a folder with pictures in a folder a class."
        ) from None
    return pictures_in_parquet(local)


def _readable_rows(source: Path | io.BytesIO, path: Path, at_once: int) -> Iterator[Picture]:
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(source) as file:
            yield from _rows(file, path, at_once)
    except (OSError, KeyError, ValueError, TypeError):
        raise AssetError(
            f"{path.name} is missing, damaged or has no columns image and label; name a file that has."
        ) from None


def _rows(file: Any, path: Path, at_once: int) -> Iterator[Picture]:
    columns = file.schema_arrow.names
    pictures = next(name for name in [*PICTURE_COLUMNS, ""] if name in columns or not name)
    labels = next(name for name in [*LABEL_COLUMNS, ""] if name in columns or not name)
    if not pictures or not labels:
        raise KeyError("image, label")
    names = _class_names(file.schema_arrow.metadata or {}, labels)
    split = _split(path)
    row = 0
    for batch in file.iter_batches(at_once, columns=[pictures, labels]):
        for picture, label in zip(batch[pictures].to_pylist(), batch[labels].to_pylist(), strict=True):
            data = picture["bytes"] if isinstance(picture, dict) else picture
            if not isinstance(data, bytes) or isinstance(label, float) or label is None:
                raise TypeError("no encoded picture with a label")
            number = isinstance(label, int) and 0 <= label < len(names)
            yield Picture(split, names[label] if number else str(label), f"{path.name}, row {row}", data)
            row += 1


def _class_names(metadata: dict[bytes, bytes], column: str) -> list[str]:
    """What `datasets` writes into a file's schema: the names behind the numbers; empty without them."""
    try:
        names = json.loads(metadata[b"huggingface"])["info"]["features"][column]["names"]
    except (KeyError, ValueError, TypeError):
        return []
    return [str(name) for name in names]


def _split(path: Path) -> str:
    """By the file's name (train-00000-of-00001.parquet) or its folder's (default/train/0000.parquet)."""
    words = {*re.split(r"[^a-z]+", path.stem.lower()), path.parent.name.lower()}
    return "train" if words & TRAIN else "test" if words & TEST else ""
