"""The generator: latent codes, an optional noisy layer, and a small convolutional image head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from nayer.networks.classifiers import initialize
from nayer.networks.mirrored import MirroredHead, Node
from nayer.networks.noisy_layer import NoisyLayer


class Latent(nn.Module):
    """Labels and optional noise → codes (n, outputs).

    `table`: (k, d) the fixed embeddings, or None for noise alone. `noise`: the Gaussian numbers per image, 0
    for none. `combine` puts them after the normalized embedding (`concat`) or adds them to it (`add`, d numbers).
    """

    table: Tensor | None

    def __init__(
        self,
        table: Tensor | None,
        *,
        noise: int = 0,
        combine: Literal["concat", "add"] = "concat",
    ) -> None:
        super().__init__()
        width = 0 if table is None else table.shape[1]
        self.register_buffer("table", table)
        self.adds = combine == "add" and table is not None and noise > 0
        self.noise = width if self.adds else noise
        self.outputs = width if self.adds else width + noise
        # BatchNorm over the embeddings, as published. Normalizing the table equals normalizing a batch in which all
        # classes are equally frequent, and it works for any batch.
        self.norm = nn.Identity() if table is None else nn.BatchNorm1d(width, track_running_stats=False)

    def draw(self, n: int, rng: torch.Generator, device: torch.device) -> Tensor | None:
        """Noise for n images (n, noise) from N(0, 1), by `rng` on the CPU; None if this latent takes no noise."""
        return torch.randn((n, self.noise), generator=rng).to(device) if self.noise else None

    def forward(self, labels: Tensor, noise: Tensor | None) -> Tensor:
        """Labels (n,) and noise (n, noise) → codes (n, outputs); missing noise counts as zeros."""
        if noise is None:
            noise = torch.zeros((len(labels), self.noise), device=labels.device)
        if self.table is None:
            return noise
        embeddings = self.norm(self.table)[labels]  # (n, d)
        if self.adds:
            return embeddings + noise  # type: ignore[no-any-return]
        return torch.cat([embeddings, noise], dim=1)


class Generator(nn.Module):
    """Makes images of any classes at any time.

    `size`: the images' side in pixels. `width`: base channels. `init_std`: 0 for PyTorch's default weights. With
    another value every linear and convolutional weight comes from N(0, init_std²), as in CMI.
    The head is the published one (Tran et al., 2024, §4.1): two doublings with 3×3 convolutions. If the side is not
    a multiple of four, the images are made a little too large and cropped. `mirrored`: the teacher's nodes, for a head
    that has their shapes instead.
    """

    def __init__(
        self,
        latent: Latent,
        noisy: NoisyLayer | None,
        *,
        channels: int,
        size: int,
        width: int,
        init_std: float = 0.0,
        mirrored: Sequence[Node] = (),
    ) -> None:
        super().__init__()
        self.size = size
        self.start = mirrored[0].side if mirrored else -(-size // 4)
        self.init_std = init_std
        self.latent = latent
        self.noisy = noisy
        inputs = latent.outputs if noisy is None else noisy.weight.shape[2]
        deepest = mirrored[0].channels if mirrored else 2 * width
        self.project = nn.Linear(inputs, deepest * self.start**2)
        self.head: nn.Module = (
            MirroredHead(mirrored, channels, size)
            if mirrored
            else nn.Sequential(
                nn.BatchNorm2d(2 * width),
                nn.Upsample(scale_factor=2),
                nn.Conv2d(2 * width, 2 * width, 3, padding=1),
                nn.BatchNorm2d(2 * width),
                nn.LeakyReLU(0.2),
                nn.Upsample(scale_factor=2),
                nn.Conv2d(2 * width, width, 3, padding=1),
                nn.BatchNorm2d(width),
                nn.LeakyReLU(0.2),
                nn.Conv2d(width, channels, 3, padding=1),
                nn.Sigmoid(),
            )
        )

    def rebuild(self, rng: torch.Generator) -> None:
        """Draws new weights for all layers, the noisy layer included."""
        self._draw(self, rng)
        self.redraw_noisy_layer(rng)

    def redraw_noisy_layer(self, rng: torch.Generator) -> None:
        """Draws new weights for the noisy layer, if there is one."""
        if self.noisy is not None:
            self.noisy.redraw(rng)

    def redraw_first_layer(self, rng: torch.Generator) -> None:
        """New weights for the linear layer in front of the convolutions (Fast resets it once, before round 140)."""
        self._draw(self.project, rng)

    def codes(self, labels: Tensor, noise: Tensor | None = None) -> Tensor:
        """The input of the image head: (n, width); with a noisy layer position i goes through layer i // group."""
        codes = self.latent(labels, noise)
        return codes if self.noisy is None else self.noisy(codes)  # type: ignore[no-any-return]

    def forward(self, labels: Tensor, noise: Tensor | None = None) -> Tensor:
        """Labels (n,) and, if the latent takes it, noise (n, z) → images (n, c, size, size) in [0, 1]."""
        x = self.project(self.codes(labels, noise))  # (n, width) -> (n, s·s·2w)
        x = x.unflatten(1, (self.start, self.start, -1)).permute(0, 3, 1, 2)  # (n, 2w, s, s), channels last in memory
        images = self.head(x)  # (n, c, 4s, 4s), or of the right size
        margin = (images.shape[-1] - self.size) // 2
        return images[:, :, margin : margin + self.size, margin : margin + self.size]  # type: ignore[no-any-return]

    def _draw(self, module: nn.Module, rng: torch.Generator) -> None:
        initialize(module, rng)
        if self.init_std:
            with torch.no_grad():
                for layer in module.modules():
                    if isinstance(layer, nn.Linear | nn.Conv2d):
                        layer.weight.copy_(torch.randn(layer.weight.shape, generator=rng) * self.init_std)
                        assert layer.bias is not None
                        layer.bias.zero_()
