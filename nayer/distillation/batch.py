"""The results of synthesis: a step's images with the terms of their loss, and the batch of a round."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from nayer.networks.hooks import Statistics


@dataclass(frozen=True, slots=True)
class Batch:
    """What a round made."""

    images: Tensor  # (n, c, h, w) uint8
    labels: Tensor  # (n,)
    step: int  # it was made in
    loss: float
    kept: tuple[Tensor, ...]  # what the pool gets: batches with these labels, each (n, c, h, w) uint8
    noise: Tensor | None  # (n, z) what the generator was fed last, beside the table


@dataclass(frozen=True, slots=True)
class Objective:
    """One step's images and the terms of its loss; everything on the device, detached but for `loss`."""

    images: Tensor  # (n, c, h, w) in [0, 1]
    loss: Tensor
    ce: Tensor
    bn: Tensor
    adversarial: Tensor
    label_hit: Tensor
    statistics: Statistics  # at the teacher's BatchNorm inputs
