"""The data sets `emoji10` and `emoji100`: drawings turned, scaled and moved on a gradient, 32 × 32 in color.

The test styles differ from the training styles: a teacher's accuracy is measured on drawings by other designers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from nayer.data.emoji_classes import CLASSES, ICONS
from nayer.data.emoji_icons import FOR_TESTING, FOR_TRAINING, Drawings, read_drawings
from nayer.data.readers import Labeled

CHUNK = 500  # samples at a time, so that memory stays small
BACKGROUND = (0.35, 1.0)  # of the full range, each channel: light, so that drawings with dark outlines stand out


@dataclass(frozen=True, slots=True)
class Variety:
    """The largest changes from a drawing to its sample; each draw is uniform between the bounds."""

    turn: float  # degrees, to either side
    scale: tuple[float, float]  # share of the frame's side that the drawing's square takes
    squeeze: float  # share by which width and height may differ from that, independently
    shift: float  # of the frame's side, any direction
    mirror: float  # share of samples
    hue: float  # degrees around the color circle, to either side
    saturation: tuple[float, float]  # factor
    contrast: tuple[float, float]  # factor
    brightness: float  # of the full range, up or down


@dataclass(frozen=True, slots=True)
class Split:
    """The number of samples per class, their variety and their seed."""

    per_class: int
    variety: Variety
    seed: int


PLAIN = Variety(
    turn=15.0,
    scale=(0.7, 1.0),
    squeeze=0.0,
    shift=0.1,
    mirror=0.5,
    hue=0.0,
    saturation=(1.0, 1.0),
    contrast=(0.75, 1.25),
    brightness=0.12,
)
# Wider than for testing, because the test styles differ more from each other than the training styles.
WIDE = Variety(
    turn=25.0,
    scale=(0.6, 1.05),
    squeeze=0.2,
    shift=0.12,
    mirror=0.5,
    hue=40.0,
    saturation=(0.4, 1.4),
    contrast=(0.6, 1.4),
    brightness=0.2,
)
TRAINING = {"emoji10": Split(1_500, WIDE, seed=1), "emoji100": Split(400, WIDE, seed=1)}
# Whole multiples of two styles with one or two icons.
TESTING = {"emoji10": Split(60, PLAIN, seed=2), "emoji100": Split(12, PLAIN, seed=2)}


def training_images(name: str, folder: Path) -> Labeled:
    """The training split of `name` (n, 3, 32, 32), n·k in the order of the classes, from the packages in `folder`."""
    return _split(read_drawings(folder, FOR_TRAINING, _icons(name)), TRAINING[name])


def testing_images(name: str, folder: Path) -> Labeled:
    """The test split of `name`, from the held-out styles."""
    return _split(read_drawings(folder, FOR_TESTING, _icons(name)), TESTING[name])


def _icons(name: str) -> list[tuple[str, ...]]:
    return [ICONS[label] for label in CLASSES[name]]


def _split(drawings: Drawings, split: Split) -> Labeled:
    return samples(drawings, split.per_class, split.variety, torch.Generator().manual_seed(split.seed))


def samples(drawings: Drawings, per_class: int, variety: Variety, rng: torch.Generator, side: int = 32) -> Labeled:
    """`per_class` samples (c, side, side) of each class, by label; all drawings of a class are equally frequent."""
    places = np.concatenate([_in_turn(drawings.labels == label, per_class) for label in np.unique(drawings.labels)])
    images = [
        varied(torch.from_numpy(drawings.pixels[chunk]), variety, side, rng).numpy()
        for chunk in np.split(places, range(CHUNK, len(places), CHUNK))
    ]
    return np.concatenate(images), drawings.labels[places]


def _in_turn(members: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    return np.resize(np.flatnonzero(members), count)


def varied(drawings: Tensor, variety: Variety, side: int, rng: torch.Generator) -> Tensor:
    """One sample of each drawing (n, 4, s, s) uint8 with straight alpha: (n, 3, side, side) uint8."""
    n = len(drawings)
    pixels = drawings.float() / 255.0
    alpha = pixels[:, 3:]
    premultiplied = torch.cat([pixels[:, :3] * alpha, alpha], dim=1)  # no dark rims between transparent and opaque
    grid = F.affine_grid(placements(n, variety, rng), [n, 4, 2 * side, 2 * side], align_corners=False)
    moved = F.grid_sample(premultiplied, grid, align_corners=False)
    moved = F.avg_pool2d(moved, 2)  # (n, 4, side, side), four bilinear samples a pixel
    colors = torch.einsum("nij,njhw->nihw", tints(n, variety, rng), moved[:, :3])
    images = colors + gradients(n, side, rng) * (1.0 - moved[:, 3:])
    contrast = _uniform((n, 1, 1, 1), *variety.contrast, rng)
    brightness = _uniform((n, 1, 1, 1), -variety.brightness, variety.brightness, rng)
    images = (images - 0.5) * contrast + 0.5 + brightness
    return (images.clamp(0.0, 1.0) * 255.0).round().to(torch.uint8)


def gradients(n: int, side: int, rng: torch.Generator) -> Tensor:
    """Backgrounds (n, 3, side, side): from one random color to a near one, along a random direction."""
    colors = _uniform((n, 3, 1, 1), *BACKGROUND, rng)
    others = (colors + 0.25 * torch.randn((n, 3, 1, 1), generator=rng)).clamp(*BACKGROUND)
    angles = _uniform((n, 1, 1), 0.0, 2.0 * math.pi, rng)
    line = torch.linspace(-0.5, 0.5, side)
    along = (angles.cos() * line[None, None, :] + angles.sin() * line[None, :, None]) / math.sqrt(2.0) + 0.5
    return torch.lerp(colors, others, along[:, None])  # along: (n, side, side) in 0..1


def placements(n: int, variety: Variety, rng: torch.Generator) -> Tensor:
    """(n, 2, 3) maps from a sample's square [-1, 1]² to its drawing's: turn, scale, squeeze, mirror, shift."""
    turn = math.radians(variety.turn)
    turns = _uniform((n,), -turn, turn, rng)
    zooms = 1.0 / _uniform((n, 1), *variety.scale, rng)
    squeezes = _uniform((n, 2), 1.0 - variety.squeeze, 1.0 + variety.squeeze, rng)
    mirrors = torch.where(torch.rand((n,), generator=rng) < variety.mirror, -1.0, 1.0)
    shifts = _uniform((n, 2, 1), -2.0 * variety.shift, 2.0 * variety.shift, rng)  # in half sides
    across = torch.stack([mirrors * turns.cos(), -mirrors * turns.sin()], dim=1)  # (n, 2)
    down = torch.stack([turns.sin(), turns.cos()], dim=1)
    linear = torch.stack([across, down], dim=1) * (zooms * squeezes)[:, :, None]  # (n, 2, 2)
    return torch.cat([linear, -linear @ shifts], dim=2)


def tints(n: int, variety: Variety, rng: torch.Generator) -> Tensor:
    """(n, 3, 3) maps of colors: a turn around the gray axis, and a factor on the distance from it; grays stay."""
    hue = math.radians(variety.hue)
    angles = _uniform((n, 1, 1), -hue, hue, rng)
    factors = _uniform((n, 1, 1), *variety.saturation, rng)
    gray = torch.full((3, 3), 1.0 / 3.0)
    across = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3.0)  # gray axis × color
    return gray + factors * (angles.cos() * (torch.eye(3) - gray) + angles.sin() * across)


def _uniform(shape: tuple[int, ...], low: float, high: float, rng: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=rng)
