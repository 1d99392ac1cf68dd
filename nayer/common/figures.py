"""A figure of matplotlib: the texts of users in it, and its file. This module does not import matplotlib."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any


def literal(text: str) -> str:
    """`text` for matplotlib, which otherwise reads what stands between two dollars as a formula, and fails if it is
    none.
    """
    return text.replace("$", r"\$")


def file_of(figure: Any, kind: str = "png", **more: Any) -> bytes:
    """The content of the figure's file. A letter that the font lacks is a box in it, and no warning on standard error.

    `more` are arguments of matplotlib's `savefig`.
    """
    out = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(out, format=kind, **more)
    return out.getvalue()
