"""A network of PyTorch with the rounded weights of a recording, to compare with; and random ones of every family."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from nayer.networks.classifiers import Classifier, build
from nayer.networks.specs import ModelSpec


def random_network(architecture: str, seed: int = 0, *, channels: int = 3, size: int = 16) -> Classifier:
    """In evaluation mode, with statistics of BatchNorm that differ from channel to channel."""
    mean, std = (0.5, 0.4, 0.3)[:channels], (0.2, 0.25, 0.3)[:channels]
    spec = ModelSpec(architecture=architecture, channels=channels, size=size, classes=7, mean=mean, std=std)
    rng = torch.Generator().manual_seed(seed)
    network = build(spec, rng)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values, low in ((layer.weight, 0.5), (layer.bias, -0.5), (layer.running_mean, -0.5)):
                values.data.copy_(torch.rand(values.shape, generator=rng) + low)  # type: ignore[union-attr]
            layer.running_var.copy_(torch.rand(layer.running_var.shape, generator=rng) + 0.5)  # type: ignore[union-attr]
    return network.eval()


@torch.no_grad()
def filled(spec: ModelSpec, codes: np.ndarray, numbers: np.ndarray) -> Classifier:
    """The network with weights code × step. Each BatchNorm only adds the bias of the convolution before it."""
    network = build(spec).eval()
    codes, numbers = torch.from_numpy(codes.copy()).float(), torch.from_numpy(numbers.copy())
    leaves = [(name.rpartition(".")[0], layer) for name, layer in network.named_modules() if not list(layer.children())]

    def take(shape: torch.Size) -> tuple[torch.Tensor, torch.Tensor]:
        nonlocal codes, numbers
        count, outputs = shape.numel(), shape[0]
        weight = codes[:count].view(shape) * numbers[:outputs].view(-1, *[1] * (len(shape) - 1))
        bias, codes, numbers = numbers[outputs : 2 * outputs], codes[count:], numbers[2 * outputs :]
        return weight, bias

    def beside(place: int, step: int) -> nn.Module | None:
        """The layer before or after, within the same sequence."""
        parent, layer = leaves[place + step] if 0 <= place + step < len(leaves) else ("", None)
        return layer if parent == leaves[place][0] else None

    for place, (_, layer) in enumerate(leaves):
        before, after = beside(place, -1), beside(place, 1)
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            weight, bias = take(layer.weight.shape)
            layer.weight.copy_(weight)
            if layer.bias is not None:
                layer.bias.copy_(bias)
            if isinstance(after, nn.BatchNorm2d):
                _neutral(after, torch.ones(len(bias)), bias)
        elif isinstance(layer, nn.BatchNorm2d) and not isinstance(before, nn.Conv2d):
            _neutral(layer, *take(layer.weight.shape))
    assert not len(codes)
    assert not len(numbers)
    return network


def _neutral(layer: nn.BatchNorm2d, scale: torch.Tensor, shift: torch.Tensor) -> None:
    layer.weight.copy_(scale * (1.0 + layer.eps) ** 0.5)
    layer.bias.copy_(shift)
