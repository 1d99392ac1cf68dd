"""Icon sets in Iconify's format, as `npm install` writes them, with one square for each name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


def square(color: str, side: int = 8) -> dict[str, object]:
    """An icon that fills its view with one color."""
    return {"body": f'<path fill="{color}" d="M0 0h{side}v{side}h-{side}z"/>'}


def write_icon_set(folder: Path, style: str, colors: Mapping[str, str]) -> Path:
    """A set of 8 × 8 squares in @iconify-json/`style`; returns its icons.json."""
    path = folder / "node_modules" / "@iconify-json" / style / "icons.json"
    path.parent.mkdir(parents=True)
    icons = {name: square(color) for name, color in colors.items()}
    path.write_text(json.dumps({"prefix": style, "icons": icons, "width": 8, "height": 8}), "utf-8")
    return path
