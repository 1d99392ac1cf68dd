"""Random crop and mirror as two small matrix products an image: no loops, and exact gradients."""

from __future__ import annotations

import torch
from torch import Tensor


def crop_and_flip(images: Tensor, padding: int, flip: bool, rng: torch.Generator) -> Tensor:
    """Each image (n, c, h, w) shifted by up to `padding` pixels, black coming in, and mirrored half the time.

    Equals padding with zeros, a random crop and a random horizontal flip; each image has its own draw from `rng`,
    a generator on the CPU.
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

    Its row i picks entry i + shift, or nothing where that lies outside.
    """
    wanted = torch.arange(length)[:, None] + torch.arange(-padding, padding + 1)[:, None, None]  # (2p + 1, length, 1)
    return wanted == torch.arange(length)
