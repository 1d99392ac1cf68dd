"""The generator: label-text embedding → BatchNorm → noisy layer → a small convolutional image head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nayer.models import initialise
from nayer.noisy_layer import NoisyLayer


class Generator(nn.Module):
    """Images of any classes at any time; randomness comes from the noisy layer alone.

    `table`: (k, d), the fixed embeddings. `size`: the images' side in pixels. `width`: base channels.
    The head is the published one (§4.1): two doublings with 3×3 convolutions; a side that is not a multiple of
    four is made a little too large and cropped.
    """

    table: Tensor

    def __init__(
        self, table: Tensor, noisy: NoisyLayer, *, channels: int, size: int, width: int, normalise_table: bool = True
    ) -> None:
        super().__init__()
        self.size = size
        self.start = -(-size // 4)
        self.register_buffer("table", table)
        # Normalising the table equals normalising a batch with every class equally often, and works for any batch.
        self.norm = nn.BatchNorm1d(table.shape[1], track_running_stats=False) if normalise_table else nn.Identity()
        self.noisy = noisy
        self.project = nn.Linear(noisy.weight.shape[2], 2 * width * self.start**2)
        self.head = nn.Sequential(
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

    def rebuild(self, rng: torch.Generator) -> None:
        """Draws every weight anew, the noisy layer's too."""
        initialise(self, rng)
        self.noisy.redraw(rng)

    def codes(self, labels: Tensor) -> Tensor:
        """What the noisy layer makes of labels (n,): (n, noisy width); position i uses noisy layer i // group."""
        return self.noisy(self.norm(self.table)[labels])  # type: ignore[no-any-return]

    def forward(self, labels: Tensor) -> Tensor:
        """Labels (n,) → images (n, c, size, size) in [0, 1]."""
        x = self.project(self.codes(labels))  # (n, width) -> (n, 2w·s·s)
        x = x.unflatten(1, (-1, self.start, self.start))  # (n, 2w, s, s)
        images = self.head(x)  # (n, c, 4s, 4s)
        margin = (4 * self.start - self.size) // 2
        return images[:, :, margin : margin + self.size, margin : margin + self.size]  # type: ignore[no-any-return]
