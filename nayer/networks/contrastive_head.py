"""CMI's comparison of images with each other: a projection of the teacher's features and a bank of earlier ones."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 128  # of the projections, as published (Fang et al., 2021, §4.1)


class ContrastiveHead(nn.Module):
    """Projects the teacher's features (n, f) to unit vectors (n, 128) and remembers those of earlier images."""

    bank: Tensor  # (capacity, 128)
    filled: Tensor  # () number of all vectors remembered so far

    def __init__(self, features: int, capacity: int) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.Linear(features, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))
        self.register_buffer("bank", torch.zeros(capacity, WIDTH))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    def forward(self, features: Tensor) -> Tensor:
        """Features (n, f) → unit vectors (n, 128)."""
        return F.normalize(self.project(features), dim=1)

    def remembered(self) -> Tensor:
        """The bank's vectors so far: (m, 128), m ≤ capacity."""
        return self.bank[: int(self.filled)]

    @torch.no_grad()
    def remember(self, features: Tensor) -> None:
        """Puts the projections of a round's images (n, f) into the bank; they replace the oldest."""
        vectors = self(features)[-len(self.bank) :]
        slots = (self.filled + torch.arange(len(vectors), device=vectors.device)) % len(self.bank)
        self.bank[slots] = vectors
        self.filled += len(vectors)
