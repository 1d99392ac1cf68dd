"""Embeddings, computed once and stored in `assets/embeddings`: (encoder, text) -> row, without `transformers`.

A table is one safetensors file: a tensor `embeddings` (n, d) float32, and metadata with the encoder's id, the n texts
in order (prompt and class name together, as the encoder gets them) and a SHA-256 over all of it. A reader may ask for
any subset of the texts, in any order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from nayer.common.files import write_whole
from nayer.common.paths import ASSETS
from nayer.common.safetensors_header import header, read_tensor_file
from nayer.errors import AssetError
from nayer.types import Floats

MAX_TABLE_BYTES = 64 << 20
SHIPPED = ASSETS / "embeddings"


@dataclass(frozen=True)
class EmbeddingTable:
    """The content of one file."""

    encoder: str  # a Hub id
    texts: tuple[str, ...]  # n
    embeddings: Floats  # (n, d)

    def rows(self, texts: Sequence[str]) -> Floats | None:
        """The embeddings (len(texts), d) of `texts`, or None if one of them is missing."""
        places = {text: place for place, text in enumerate(self.texts)}
        if not all(text in places for text in texts):
            return None
        rows: Floats = self.embeddings[[places[text] for text in texts]]
        return rows


def shipped_tables(encoder: str, folder: Path = SHIPPED) -> list[EmbeddingTable]:
    """The shipped tables of `encoder`, in the order of their file names."""
    tables = [read_table(path) for path in sorted(folder.glob("*.safetensors"))]
    return [table for table in tables if table.encoder == encoder]


def read_table(path: Path) -> EmbeddingTable:
    """The table in `path`, checked against its own SHA-256; AssetError if it is damaged."""
    try:
        content = read_tensor_file(path, MAX_TABLE_BYTES)
        card = json.loads(header(content, path.name).about["table"])
        embeddings: Floats = load(content)["embeddings"]
        table = EmbeddingTable(card["encoder"], tuple(card["texts"]), embeddings)
        sound = card["sha256"] == _digest(table) and embeddings.shape[:-1] == (len(table.texts),)
    except OSError as error:
        raise AssetError(f"{path.name} cannot be read ({error.strerror}); restore it from the project.") from None
    except (AssetError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise AssetError(f"{path.name} is not a table of embeddings ({error}); restore it from the project.") from None
    if not sound:
        raise AssetError(
            f"{path.name} is damaged: its content does not match its SHA-256; restore it from the project."
        )
    return table


def write_table(table: EmbeddingTable, path: Path) -> None:
    """`table` as a file, whole or not at all; the same table gives the same bytes. Raises StorageError."""
    card = {"encoder": table.encoder, "texts": table.texts, "sha256": _digest(table)}
    # One key: with several, safetensors writes them in any order.
    content = save({"embeddings": table.embeddings}, metadata={"table": json.dumps(card, ensure_ascii=False)})
    write_whole(path, content)


def _digest(table: EmbeddingTable) -> str:
    """SHA-256 over encoder, texts, shape and little-endian float32 values."""
    header = json.dumps([table.encoder, list(table.texts), list(table.embeddings.shape)])
    values = np.ascontiguousarray(table.embeddings, dtype="<f4").tobytes()
    return hashlib.sha256(header.encode() + values).hexdigest()
