"""The noisy layer and its size. Its re-drawn weights are the only source of randomness (Tran et al., 2024, §3.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class NoisyLayer(nn.Module):
    """`layers` independent linear maps (inputs → width); image i of a batch goes through map i // group.

    Weights are drawn from N(0, 1), as published, and biases are 0; both are trained like any other weight between two
    draws.
    """

    def __init__(self, layers: int, inputs: int, width: int, group: int) -> None:
        super().__init__()
        self.group = group
        self.weight = nn.Parameter(torch.empty(layers, inputs, width))
        self.bias = nn.Parameter(torch.empty(layers, 1, width))

    def redraw(self, rng: torch.Generator) -> None:
        """Draws new weights from `rng`, a generator on the CPU even if the layer is on another device."""
        with torch.no_grad():
            self.weight.copy_(torch.randn(self.weight.shape, generator=rng))
            self.bias.zero_()

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (n, d), n ≤ layers · group → (n, width)."""
        n, inputs = codes.shape
        layers = -(-n // self.group)
        missing = layers * self.group - n  # the last group may be incomplete
        if missing:
            codes = torch.cat([codes, codes[:1].expand(missing, inputs)])
        codes = codes.view(layers, self.group, inputs)  # (l·g, d) -> (l, g, d)
        weight: Tensor = self.weight
        bias: Tensor = self.bias
        if layers < len(weight):  # a slice's gradient is a copy of the whole weight
            weight, bias = weight[:layers], bias[:layers]
        mapped = torch.baddbmm(bias, codes, weight)  # (l, g, width)
        return mapped.flatten(0, 1)[:n]


def group_size(routing: str, classes: int, batch: int) -> int:
    """How many consecutive images of a batch share one noisy layer: all classes, one image, or the whole batch."""
    return {"k-to-1": classes, "1-to-1": 1, "single": batch}[routing]


def layers(routing: str, classes: int, batch: int) -> int:
    """How many noisy layers a batch needs."""
    return -(-batch // group_size(routing, classes, batch))


def outputs(width: int, classes: int) -> int:
    """The outputs of a noisy layer: `width`; if that is 0, 25 per class, but at least 64 and at most 1000.

    One layer's outputs must differ clearly between its classes (docs/speed.md). 1000 is the published width.
    """
    return width or min(1000, max(64, 25 * classes))
