"""No network: the noise of an image is its pixels. DeepInversion trains them, and the control `noise` leaves them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nayer.networks.generator import Generator, Latent

MEAN, DEVIATION = 0.5, 0.25  # of the pixels, for noise from N(0, 1): about those of CIFAR-10's images


class Pixels(Generator):
    """A generator without weights: noise (n, c·s·s) → images (n, c, s, s) in [0, 1].

    Pixels outside of [0, 1] are clipped and keep their gradient. DeepInversion (Yin et al., 2020) optimizes pixels
    in the teacher's normalized space; here one unit of noise is `DEVIATION` of an image.
    """

    def __init__(self, channels: int, size: int) -> None:
        nn.Module.__init__(self)
        self.size, self.start, self.init_std = size, size, 0.0
        self.latent = Latent(None, noise=channels * size * size)
        self.noisy = None
        self.head = nn.Sequential()

    def rebuild(self, rng: torch.Generator) -> None:
        """Has no weights to draw."""

    def redraw_noisy_layer(self, rng: torch.Generator) -> None:
        """Has no noisy layer."""

    def redraw_first_layer(self, rng: torch.Generator) -> None:
        """Has no layers."""

    def forward(self, labels: Tensor, noise: Tensor | None = None) -> Tensor:
        """Labels (n,) and noise (n, c·s·s) → images (n, c, s, s) in [0, 1]; missing noise gives gray images."""
        images: Tensor = MEAN + DEVIATION * self.codes(labels, noise).unflatten(1, (-1, self.size, self.size))
        return images + (images.clamp(0.0, 1.0) - images).detach()
