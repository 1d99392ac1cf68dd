"""The facts about a teacher before any run: its classes, and the positions of their embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.run_state.embedding_map import Atlas
from nayer.common.paths import ASSETS
from nayer.config import Config
from nayer.embeddings.label_table import prompted
from nayer.embeddings.precomputed import shipped_tables
from nayer.networks.cards import TeacherCard


def card_json(card: TeacherCard) -> dict[str, Any]:
    """JSON-ready; `sketch` and `anchors` are None where no shipped table has the classes."""
    atlas = _atlas(card)
    return {
        "name": card.name,
        "title": card.title,
        "classes": list(card.classes),
        "accuracy": card.test_accuracy,
        "robust": [card.robust.epsilon, card.robust.accuracy] if card.robust else None,
        "image_shape": [card.model.channels, card.model.size, card.model.size],
        "real": shipped_testset(card) is not None,
        "sketch": atlas.sketch() if atlas else None,
        "anchors": atlas.anchors() if atlas else None,
    }


def shipped_testset(card: TeacherCard) -> Path | None:
    """The file with the shipped test images of a teacher's data set, or None."""
    path = ASSETS / "testsets" / f"{card.testset}.npz"
    return path if card.testset and path.is_file() else None


def _atlas(card: TeacherCard) -> Atlas | None:
    """From a shipped table only: an encoder takes seconds to load, and the page must not wait for it."""
    config = Config()
    texts = prompted(card.classes, config.prompt)
    for table in shipped_tables(config.encoder):
        rows = table.rows(texts)
        if rows is not None:
            return Atlas.of(rows)
    return None
