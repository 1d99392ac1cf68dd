"""A real test image of each class, side by side. The files are read without the core, so the page need not wait."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from app.run_state.teacher_cards import shipped_testset
from app.support.images import jpeg
from nayer.networks.cards import TeacherCard

PICKS = 50  # strips of a teacher, at most


class RealStrips:
    """For any thread."""

    def __init__(self, teachers: Sequence[TeacherCard]) -> None:
        self._cards = {card.name: card for card in teachers}

    def picture(self, teacher: str, pick: int = 0) -> bytes | None:
        """JPEG of image `pick` of each class, in the order of the classes; `pick` wraps around. None without images."""
        card = self._cards.get(teacher)
        path = shipped_testset(card) if card else None
        return None if card is None or path is None else _strip(path, len(card.classes), pick % PICKS)


@lru_cache(maxsize=8 * PICKS)  # all strips of the shipped teachers, 4 MB, so that none is drawn twice
def _strip(path: Path, classes: int, pick: int) -> bytes | None:
    with np.load(path, allow_pickle=False) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    places = [np.flatnonzero(labels == label) for label in range(classes)]
    if not all(map(len, places)):
        return None
    return jpeg(images[[found[pick % len(found)] for found in places]])
