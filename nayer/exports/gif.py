"""The samples of a run as one animated picture: a frame a round."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable

import numpy as np
from PIL import Image

from nayer.events import Event, RoundSynthesized, RunStarted
from nayer.types import Images

SIDE = 64  # approximate px of a sample; small samples are enlarged by whole factors
ROUND_MS, LAST_MS = 350, 2000
MAX_FRAMES = 120  # frames; a longer run shows rounds at equal distances
_IN_A_ROW = 10


def animation(events: Iterable[Event]) -> bytes:
    """A GIF with the first image of every class in each round, in class order, ten in a row; empty without a round."""
    k, frames = 0, []
    for event in events:
        if isinstance(event, RunStarted):
            k = len(event.classes)
        elif isinstance(event, RoundSynthesized) and event.arm == 0:
            frames.append(_frame(event, k))
    if not frames:
        return b""
    picked = [
        frames[place] for place in np.linspace(0, len(frames) - 1, min(MAX_FRAMES, len(frames))).round().astype(int)
    ]
    pictures = [Image.fromarray(frame).convert("P", palette=Image.Palette.ADAPTIVE) for frame in picked]
    durations = [ROUND_MS] * (len(pictures) - 1) + [LAST_MS]
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=False)
    return file.getvalue()


def _frame(event: RoundSynthesized, k: int) -> Images:
    """(rows, columns, 3): the tiles on white, with a gap between."""
    _, c, h, w = event.images.shape
    columns = min(k, _IN_A_ROW)
    tiles: Images = np.full((math.ceil(k / columns) * columns, c, h, w), 255, np.uint8)
    labels, firsts = np.unique(event.labels, return_index=True)
    tiles[labels] = event.images[firsts]
    factor = max(1, SIDE // h)
    tiles = tiles.repeat(factor, axis=2).repeat(factor, axis=3)  # (n, c, H, W)
    framed = np.pad(tiles, ((0, 0), (0, 0), (0, 4), (0, 4)), constant_values=255)
    n, _, height, width = framed.shape
    grid = framed.reshape(n // columns, columns, c, height, width).transpose(0, 3, 1, 4, 2)
    picture = grid.reshape(n // columns * height, columns * width, c)
    return picture if c == 3 else picture.repeat(3, axis=2)
