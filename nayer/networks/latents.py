"""What a generator is fed: a fixed table of embeddings, Gaussian noise, or both."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn


class Latent(nn.Module):
    """Labels, and noise where there is any → codes (n, outputs).

    `table`: (k, d) the fixed embeddings, or None for noise alone. `noise`: how many Gaussian numbers an image gets, 0
    for none. `combine` puts them behind the embedding (`concat`) or adds `scale` times them to it (`add`, d numbers).
    """

    table: Tensor | None

    def __init__(
        self,
        table: Tensor | None,
        *,
        noise: int = 0,
        combine: Literal["concat", "add"] = "concat",
        scale: float = 1.0,
        normalise_table: bool = True,
    ) -> None:
        super().__init__()
        width = 0 if table is None else table.shape[1]
        self.register_buffer("table", table)
        self.adds = combine == "add" and table is not None and noise > 0
        self.scale = scale
        self.noise = width if self.adds else noise
        self.outputs = width if self.adds else width + noise
        # Normalising the table equals normalising a batch with every class equally often, and works for any batch.
        use_norm = table is not None and normalise_table
        self.norm = nn.BatchNorm1d(width, track_running_stats=False) if use_norm else nn.Identity()

    def draw(self, n: int, rng: torch.Generator, device: torch.device) -> Tensor | None:
        """Noise for n images (n, noise) from N(0, 1), by `rng` on the CPU; None where this latent takes none."""
        return torch.randn((n, self.noise), generator=rng).to(device) if self.noise else None

    def forward(self, labels: Tensor, noise: Tensor | None) -> Tensor:
        """Labels (n,) and noise (n, noise) → codes (n, outputs); no noise given counts as zeros."""
        if noise is None:
            noise = torch.zeros((len(labels), self.noise), device=labels.device)
        if self.table is None:
            return noise
        embeddings = self.norm(self.table)[labels]  # (n, d)
        if self.adds:
            return embeddings + self.scale * noise  # type: ignore[no-any-return]
        return torch.cat([embeddings, self.scale * noise], dim=1)
