"""The texts of users in a figure by matplotlib: names of classes, arms and teachers, shown as they are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def literal(text: str) -> str:
    """`text` for matplotlib, which otherwise reads what stands between two dollars as a formula, and fails if it is
    none.
    """
    return text.replace("$", r"\$")


@contextmanager
def without_warnings() -> Iterator[None]:
    """Inside the block, a letter that the font lacks is a box in the figure and no warning on standard error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        yield
