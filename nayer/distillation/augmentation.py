"""Random augmentation of images: crop, mirror, zoom, elastic distortion, CutMix. No loops over images."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from nayer.common.parts import part

DISTORTION_POINTS = 4  # per side; more points tear shapes, and the student learns less from them (docs/speed.md)
DISTORTION = 0.1  # × side: the standard deviation of a point's move


@part("augmentation")
def crop_and_flip(images: Tensor, padding: int, flip: bool, rng: torch.Generator) -> Tensor:
    """Shifts each image (n, c, h, w) by up to `padding` pixels and mirrors it half the time; new pixels are black.

    It equals padding with zeros, a random crop and a random horizontal flip, gradient included, and takes two small
    matrix products per image. Each image has its own draw from `rng`, a generator on the CPU.
    """
    n, _, height, width = images.shape
    shifts = torch.randint(2 * padding + 1, (2, n), generator=rng)  # 0 is a shift by −padding
    mirrored = torch.rand(n, generator=rng) < 0.5 if flip else torch.zeros(n, dtype=torch.bool)
    rows = _selections(height, padding).to(images)[shifts[0]]  # (n, h, h)
    across = _selections(width, padding)
    columns = torch.stack([across, across.flip(1)]).to(images)[mirrored.long(), shifts[1]]  # (n, w, w)
    shifted = (images.flatten(1, 2) @ columns.mT).view_as(images)  # (n, c·h, w) @ (n, w, w)
    return rows[:, None] @ shifted  # (n, 1, h, h) @ (n, c, h, w)


def _selections(length: int, padding: int) -> Tensor:
    """For each shift from −padding to padding a matrix (length, length).

    Its row i picks entry i + shift, or nothing if that is outside.
    """
    wanted = torch.arange(length)[:, None] + torch.arange(-padding, padding + 1)[:, None, None]  # (2p + 1, length, 1)
    return wanted == torch.arange(length)


@part("augmentation")
def elastic_distortion(images: Tensor, share: float, rng: torch.Generator) -> Tensor:
    """Elastic distortion (Simard et al., 2003) of the first `share` of images (n, c, h, w); new pixels are black.

    The points of a grid, `DISTORTION_POINTS` per side, move at random, separately for each image. The pixels between
    them follow smoothly. Draws from `rng`, a generator on the CPU.
    """
    many = round(share * len(images))
    if not many:
        return images
    _, channels, height, width = images.shape
    moves = torch.randn((many, 2, DISTORTION_POINTS, DISTORTION_POINTS), generator=rng)
    moves = 2.0 * DISTORTION * moves.to(images)  # of −1…1
    field = _between(height).to(images) @ moves @ _between(width).to(images).mT  # (m, 2, h, w): across, down
    still = F.affine_grid(torch.eye(2, 3)[None].to(images), [1, channels, height, width], align_corners=False)
    distorted = F.grid_sample(images[:many], still + field.permute(0, 2, 3, 1), align_corners=False)
    return torch.cat([distorted, images[many:]])


LEAST_AREA = 0.25  # of an image that a local view shows, as published (Fang et al., 2021)
ASPECT = (3.0 / 4.0, 4.0 / 3.0)  # of that part


@part("augmentation")
def local_view(images: Tensor, flip: bool, rng: torch.Generator) -> Tensor:
    """A random part of each image (n, c, h, w), enlarged to the whole size, and mirrored half the time.

    The part has a quarter of the area or more, and an aspect ratio from 3 : 4 to 4 : 3 (CMI's local view).
    """
    n = len(images)
    area, aspect, mirrored = torch.rand((3, n), generator=rng)
    area = LEAST_AREA + (1.0 - LEAST_AREA) * area
    low, high = (math.log(bound) for bound in ASPECT)
    ratio = torch.exp(low + (high - low) * aspect)
    sides = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()]).clamp(max=1.0)  # (2, n): across, down
    center = (1.0 - sides) * (2.0 * torch.rand((2, n), generator=rng) - 1.0)
    sign = torch.where(mirrored < 0.5, -1.0, 1.0) if flip else torch.ones_like(area)
    frame = area.new_zeros(n, 2, 3)
    frame[:, 0, 0], frame[:, 1, 1] = sides[0] * sign, sides[1]
    frame[:, :, 2] = center.mT
    grid = F.affine_grid(frame.to(images), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


@part("augmentation")
def cutmix(images: Tensor, share: float, rng: torch.Generator) -> Tensor:
    """CutMix (Yun et al., 2019): the first `share` of images (n, c, h, w) get a rectangle of the next image.

    Its area is uniform between none and all of the image. The teacher labels the mixture.
    """
    many = round(share * len(images))
    if not many:
        return images
    height, width = images.shape[2:]
    side, down, across = torch.rand((3, many), generator=rng)
    side = side.sqrt()

    def inside(length: int, center: Tensor) -> Tensor:
        place = (torch.arange(length, device=center.device) + 0.5) / length
        near: Tensor = (place - center[:, None]).abs() < side[:, None] / 2.0  # (m, length)
        return near

    box = (inside(height, down)[:, :, None] & inside(width, across)[:, None, :]).to(images.device)  # (m, h, w)
    mixed = torch.where(box[:, None], images.roll(1, dims=0)[:many], images[:many])
    return torch.cat([mixed, images[many:]])


def _between(length: int) -> Tensor:
    """A matrix (length, points) that spreads the points' values over a side, by cubic interpolation."""
    points = torch.eye(DISTORTION_POINTS)[:, None, :, None]  # one image for each point, 1 there and 0 elsewhere
    return F.interpolate(points, (length, 1), mode="bicubic", align_corners=False)[:, 0, :, 0].mT
