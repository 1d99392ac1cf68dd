"""What is typed into a box for class names, as the names."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BETWEEN = re.compile(r",?[^\S\n]*\n|,")  # a comma at the end of a line is one separator with it


def split(typed: str) -> list[str]:
    """One name a line, or separated by commas; what is left empty between two separators is an empty name."""
    whole = "\n".join(typed.splitlines()).strip().removesuffix(",").strip()
    return [name.strip() for name in _BETWEEN.split(whole)] if whole else []


def listed(names: Sequence[str]) -> str:
    """The names as they are typed, one a line."""
    return "\n".join(names)
