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
    shifts = torch.randint(-padding, padding + 1, (2, n, 1, 1), generator=rng)
    mirrored = torch.rand((n, 1, 1), generator=rng) < 0.5 if flip else torch.zeros((n, 1, 1), dtype=torch.bool)
    rows = _selection(height, shifts[0]).to(images)  # (n, h, h)
    columns = _selection(width, shifts[1])  # (n, w, w)
    columns = torch.where(mirrored, columns.flip(1), columns).to(images)
    return rows[:, None] @ images @ columns[:, None].mT  # (n, 1, h, h) @ (n, c, h, w) @ (n, 1, w, w)


def _selection(length: int, shift: Tensor) -> Tensor:
    """(n, length, length) matrices whose row i picks entry i + shift, or nothing where that lies outside."""
    wanted = torch.arange(length)[None, :, None] + shift  # (n, length, 1)
    return wanted == torch.arange(length)[None, None, :]
