"""Emoji as nine sets of designers drew them: icon sets in Iconify's JSON -> RGBA drawings with class and style."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nayer.common.files import read_file
from nayer.errors import AssetError

PACKAGES = Path("node_modules", "@iconify-json")  # where `npm install @iconify-json/…` puts them
MAX_ICONS_BYTES = 128 << 20  # of a set
SIDE = 64  # px of a drawing: twice a sample's side, so that a turned drawing is still sharp


@dataclass(frozen=True, slots=True)
class Style:
    """One designer's set: the npm package @iconify-json/`name`."""

    name: str
    license: str  # SPDX
    author: str
    source: str  # of the drawings


FOR_TRAINING = (
    Style("noto-v1", "Apache-2.0", "Google", "https://github.com/googlefonts/noto-emoji"),
    Style("openmoji", "CC-BY-SA-4.0", "OpenMoji", "https://github.com/hfg-gmuend/openmoji"),
    Style("fluent-emoji", "MIT", "Microsoft", "https://github.com/microsoft/fluentui-emoji"),
    Style("fluent-emoji-flat", "MIT", "Microsoft", "https://github.com/microsoft/fluentui-emoji"),
    Style("emojione", "CC-BY-4.0", "Emoji One", "https://github.com/EmojiTwo/emojitwo"),
    Style("emojione-v1", "CC-BY-SA-4.0", "Emoji One", "https://github.com/joypixels/emojione-legacy"),
    Style("fxemoji", "Apache-2.0", "Mozilla", "https://github.com/mozilla/fxemoji"),
)
# Held out: neither has a near copy among the others, and both may be shipped.
FOR_TESTING = (
    Style("noto", "Apache-2.0", "Google", "https://github.com/googlefonts/noto-emoji"),
    Style("twemoji", "CC-BY-4.0", "Twitter and contributors", "https://github.com/jdecked/twemoji"),
)


@dataclass(frozen=True)
class Drawings:
    """`pixels`: (m, 4, s, s) uint8, straight alpha; `labels`: (m,), the places in the classes."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]


def holds_icon_sets(folder: Path) -> bool:
    """Whether `npm install @iconify-json/…` ran in `folder`."""
    return (folder / PACKAGES).is_dir()


def read_drawings(
    folder: Path, styles: Sequence[Style], classes: Sequence[Sequence[str]], side: int = SIDE
) -> Drawings:
    """Every icon of every class in every style that has it; `classes` are the icons' names, by label.

    `folder` is where `npm install` ran. AssetError if a style is missing or a class has no icon.
    """
    pixels, labels = [], []
    for style in styles:
        icons = _read_icons(folder, style.name)
        for label, names in enumerate(classes):
            for name in names:
                try:
                    drawing = svg(icons, name)
                except (KeyError, TypeError, AttributeError):
                    raise _damaged(style.name) from None
                if drawing is not None:
                    pixels.append(draw(drawing, side))
                    labels.append(label)
    missing = [names[0] for label, names in enumerate(classes) if label not in labels]
    if missing:
        raise AssetError(f"data={folder.name!r} has no drawing of {missing[0]!r}; install newer packages.")
    return Drawings(np.stack(pixels), np.asarray(labels, dtype=np.int64))


def _read_icons(folder: Path, style: str) -> dict[str, Any]:
    path = folder / PACKAGES / style / "icons.json"
    if not path.is_file():
        raise AssetError(
            f"data={folder.name!r} has no @iconify-json/{style}; run npm install @iconify-json/{style} in it."
        )
    try:
        icons: dict[str, Any] = json.loads(read_file(path, MAX_ICONS_BYTES))
        if not isinstance(icons["icons"], dict):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError):
        raise _damaged(style) from None
    return icons


def _damaged(style: str) -> AssetError:
    return AssetError(f"@iconify-json/{style} has a damaged icons.json; install it again.")


def svg(icons: dict[str, Any], name: str) -> str | None:
    """The icon `name`, also spelled without hyphens (as in fxemoji), in a square view; None if there is none.

    The format is Iconify's: an icon without its own sizes has the set's sizes, and an alias names its parent.
    """
    names = {*icons["icons"], *icons.get("aliases", {})}
    name = name if name in names else name.replace("-", "")
    visited: set[str] = set()
    while name not in icons["icons"]:
        if name in visited or name not in names:
            return None
        visited.add(name)
        name = icons["aliases"][name]["parent"]
    icon = icons["icons"][name]
    left, top = (icon.get(edge, icons.get(edge, 0)) for edge in ("left", "top"))
    width, height = (icon.get(length, icons.get(length, 16)) for length in ("width", "height"))
    side = max(width, height)
    view = f"{left - (side - width) / 2} {top - (side - height) / 2} {side} {side}"
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {spaces} viewBox="{view}" width="{side}" height="{side}">{icon["body"]}</svg>'


def draw(drawing: str, side: int) -> NDArray[np.uint8]:
    """An SVG as (4, side, side): red, green, blue and straight alpha."""
    try:
        import resvg_py
    except ImportError:
        raise AssetError("Emoji are drawn with resvg_py, which is missing; run pip install resvg_py.") from None
    try:
        png = resvg_py.svg_to_bytes(svg_string=drawing, width=side, height=side, skip_system_fonts=True)
    except ValueError as error:
        raise AssetError(f"An emoji cannot be drawn ({str(error)[:120]}); install its package again.") from None
    with Image.open(io.BytesIO(bytes(png))) as picture:
        return np.ascontiguousarray(np.asarray(picture.convert("RGBA"), dtype=np.uint8).transpose(2, 0, 1))
