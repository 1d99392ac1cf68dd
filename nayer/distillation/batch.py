"""The results of synthesis: a step's images with the terms of their loss, and the batch of a round."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from nayer.networks.hooks import Statistics


@dataclass(frozen=True, slots=True)
class Batch:
    """The images of a round."""

    images: Tensor  # (n, c, h, w) uint8
    labels: Tensor  # (n,)
    step: int  # that made it
    loss: float
    kept: tuple[Tensor, ...]  # for the pool: batches with these labels, each (n, c, h, w) uint8
    noise: Tensor | None  # (n, z) the generator's last input besides the table

    def at(self, places: Tensor) -> Batch:
        """The images at these places (m,) alone."""
        kept = tuple(images[places] for images in self.kept)
        noise = None if self.noise is None else self.noise[places]
        return Batch(self.images[places], self.labels[places], self.step, self.loss, kept, noise)


@dataclass(frozen=True, slots=True)
class Objective:
    """One step's images and the terms of its loss; everything on the device, detached except `loss`."""

    images: Tensor  # (n, c, h, w) in [0, 1]
    loss: Tensor
    ce: Tensor
    bn: Tensor
    adversarial: Tensor
    label_accuracy: Tensor
    statistics: Statistics  # at the teacher's BatchNorm inputs
