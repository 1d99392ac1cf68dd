"""The memory of synthesized images: a bounded ring of 8-bit pictures and their labels."""

from __future__ import annotations

import torch
from torch import Tensor

from nayer.common.parts import part


@part("pool")
def to_bytes(images: Tensor) -> Tensor:
    """Images in [0, 1] → uint8, rounded to the nearest of 256 levels."""
    return (images * 255.0).round().clamp(0.0, 255.0).to(torch.uint8)


class Pool:
    """At most `capacity` images of `shape` (c, h, w); the newest replace the oldest."""

    def __init__(self, capacity: int, shape: tuple[int, int, int], device: torch.device) -> None:
        self.capacity = capacity
        self.added = 0  # images ever added; the next one goes to slot added mod capacity
        # Memory grows with use: a large capacity costs nothing until it is filled.
        self.images = torch.empty((0, *shape), dtype=torch.uint8, device=device)
        self.labels = torch.empty(0, dtype=torch.int64, device=device)

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, images: Tensor, labels: Tensor) -> None:
        """Images (n, c, h, w) uint8 and labels (n,); if there are more than `capacity`, the last ones stay."""
        self.added += max(0, len(images) - self.capacity)  # those that would be overwritten within this call
        images, labels = images[-self.capacity :], labels[-self.capacity :]
        self._reserve(min(self.capacity, self.added + len(images)))
        slots = (self.added + torch.arange(len(images), device=images.device)) % self.capacity
        self.images[slots] = images
        self.labels[slots] = labels
        self.added += len(images)

    @part("pool")
    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """n images drawn with replacement, as float in [0, 1]: (n, c, h, w)."""
        picks = torch.randint(len(self), (n,), generator=rng).to(self.images.device)
        return self.images[picks].float() / 255.0

    def _reserve(self, needed: int) -> None:
        """Makes room for `needed` images; it doubles the memory, so that adding stays cheap."""
        have = len(self.images)
        if needed <= have:
            return
        room = min(self.capacity, max(needed, 2 * have))
        self.images = torch.cat([self.images, self.images.new_zeros((room - have, *self.images.shape[1:]))])
        self.labels = torch.cat([self.labels, self.labels.new_zeros(room - have)])
