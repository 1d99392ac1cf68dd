"""Keeps a growing list within a bound: the newest entries stay, older ones become sparser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def thin_out(kept: Sequence[T], most: int) -> list[T]:
    """All of them, or where there are more than `most`, without every second one of the older half."""
    half = len(kept) // 2
    return list(kept) if len(kept) <= most else [*kept[:half:2], *kept[half:]]
