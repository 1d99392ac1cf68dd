"""The comparison of images with each other: CMI's head over two views of an image, and AdaDFKD's over two networks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 256  # of CMI's projections, as published (Fang et al., 2021: head_dim in the code)
SAMPLED = 16  # earlier images for each new one in one step of CMI, as published: n_neg = 4096 beside batches of 256


class Bank(nn.Module):
    """A ring of vectors of earlier images."""

    vectors: Tensor  # (capacity, width)
    filled: Tensor  # () number of all vectors remembered so far

    def __init__(self, width: int, capacity: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(capacity, width))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    def remembered(self) -> Tensor:
        """The vectors so far: (m, width), m ≤ capacity."""
        if self.vectors.is_meta:
            return self.vectors  # a rehearsal counts a full bank
        return self.vectors[: int(self.filled)]

    @torch.no_grad()
    def remember(self, vectors: Tensor) -> None:
        """Adds vectors (n, width); they replace the oldest."""
        vectors = vectors[-len(self.vectors) :]
        slots = (self.filled + torch.arange(len(vectors), device=vectors.device)) % len(self.vectors)
        self.vectors[slots] = vectors
        self.filled += len(vectors)


class ViewContrast(nn.Module):
    """CMI's: projects what the teacher sees of an image (n, f) to unit vectors, for a local and a global view.

    The bank holds both views of earlier images before the projection, which goes on learning.
    """

    def __init__(self, features: int, capacity: int) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Linear(features, WIDTH))
        self.bank = Bank(2 * features, capacity)

    def forward(self, features: Tensor) -> Tensor:
        """Features (n, f) → unit vectors (n, 256)."""
        return F.normalize(self.project(features), dim=1)

    def pairs(self, local: Tensor, whole: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Unit vectors (n + m, 256) of both views (n, f) of new images, then of at most 16 · n earlier images."""
        earlier, most = self.bank.remembered(), SAMPLED * len(local)
        if len(earlier) > most:
            earlier = earlier[torch.randperm(len(earlier), generator=rng)[:most].to(earlier.device)]
        locals_, wholes = earlier.chunk(2, dim=1)
        return self(torch.cat([local, locals_])), self(torch.cat([whole, wholes]))


class StudentContrast(nn.Module):
    """AdaDFKD's: the teacher's features of an image (n, f) against the student's (n, g), and those of earlier images.

    Features of another length pass a fixed random projection; the published code draws a new one in every step.
    """

    bridge: Tensor  # (g, f), or empty if both have the same length

    def __init__(self, features: int, of_student: int, capacity: int) -> None:
        super().__init__()
        self.register_buffer("bridge", torch.empty((of_student, features) if of_student != features else (0, 0)))
        self.bank = Bank(features, capacity)

    @torch.no_grad()
    def draw(self, rng: torch.Generator) -> None:
        """Draws the projection from N(0, 1) by `rng`, a generator on the CPU."""
        self.bridge.copy_(torch.randn(self.bridge.shape, generator=rng))

    @torch.no_grad()
    def keys(self, of_student: Tensor) -> Tensor:
        """The student's features (n, g) as unit vectors (n, f), without gradient."""
        return F.normalize(of_student @ self.bridge if len(self.bridge) else of_student, dim=1)
