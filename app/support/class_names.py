"""Converts the text of a class-name box to names."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BETWEEN = re.compile(r",?[^\S\n]*\n|,")  # a comma at the end of a line is one separator with it


def split(typed: str) -> list[str]:
    """One name a line, or names with commas between. An empty part between two separators is an empty name."""
    whole = "\n".join(typed.splitlines()).strip().removesuffix(",").strip()
    return [name.strip() for name in _BETWEEN.split(whole)] if whole else []


def listed(names: Sequence[str]) -> str:
    """The names as text, one a line."""
    return "\n".join(names)
