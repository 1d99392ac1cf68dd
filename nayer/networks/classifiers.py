"""The few small classifiers that teach and learn here, all from one table of families."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from nayer.networks.cpu_layers import Flatten, HalvingMaxPool, batch_norm
from nayer.networks.specs import ModelSpec, parse_architecture


class Classifier(nn.Module):
    """Images (n, c, h, w) in [0, 1] → logits (n, k); normalizes them itself."""

    mean: Tensor  # (c, 1, 1)
    std: Tensor  # (c, 1, 1)

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        family, width = parse_architecture(spec.architecture)
        layers, features = BODIES[family](width, spec.channels, spec.size)
        self.body = nn.Sequential(*layers)
        self.last = nn.Linear(features, spec.classes)
        # They belong to the spec, not to the weights.
        self.register_buffer("mean", torch.tensor(spec.mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(spec.std).view(-1, 1, 1), persistent=False)

    def features(self, images: Tensor) -> Tensor:
        """(n, c, h, w) → (n, f), the input of the last layer."""
        return self.body((images - self.mean) / self.std)  # type: ignore[no-any-return]

    def head(self, features: Tensor) -> Tensor:
        """(n, f) → logits (n, k)."""
        return self.last(features)  # type: ignore[no-any-return]

    def logits_and_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, c, h, w) in [0, 1] → logits (n, k) and penultimate features (n, f)."""
        features = self.features(images)
        return self.head(features), features

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, c, h, w) in [0, 1] → logits (n, k)."""
        return self.head(self.features(images))


@runtime_checkable
class HasFeatures(Protocol):
    """A network that separates its last layer from the layers before it."""

    def logits_and_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, c, h, w) in [0, 1] → logits (n, k) and features (n, f)."""


def shapes_of(spec: ModelSpec) -> dict[str, Tensor]:
    """The state of the network of `spec` by name, on the meta device: shapes and types that take no memory."""
    with torch.device("meta"):
        return Classifier(spec).state_dict()


def build(spec: ModelSpec, rng: torch.Generator | None = None) -> Classifier:
    """The network of `spec`, its weights drawn from `rng` (or from seed 0), never from the global generator."""
    # Layers made on the meta device draw nothing, so that runs in two threads cannot disturb each other.
    with torch.device("meta"):
        network = Classifier(spec)
    # `to_empty` would do the same, but imports half a second of symbolic algebra on its first call.
    memory = {name: torch.empty(tensor.shape, dtype=tensor.dtype) for name, tensor in network.state_dict().items()}
    network.load_state_dict(memory, assign=True)
    network.mean, network.std = (torch.tensor(values).view(-1, 1, 1) for values in (spec.mean, spec.std))
    initialize(network, torch.Generator().manual_seed(0) if rng is None else rng)
    return network


@torch.no_grad()
def initialize(module: nn.Module, rng: torch.Generator) -> None:
    """Draws new weights for every Linear and Conv2d in `module` and resets every BatchNorm, with PyTorch's defaults.

    `rng` is on the CPU even if the module is on another device. Weights and biases come from U(±1/√fan_in), the
    defaults of Linear and Conv2d (He et al., 2015, with a = √5).
    """
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            bound = 1.0 / math.sqrt(layer.weight[0].numel())
            for parameter in (layer.weight, layer.bias):
                if parameter is not None:
                    parameter.copy_((torch.rand(parameter.shape, generator=rng) * 2.0 - 1.0) * bound)
        elif isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.reset_parameters()


def logits_and_features(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (n, k) and penultimate features (n, f); if a network does not give features, its logits stand for them."""
    if isinstance(network, HasFeatures):
        return network.logits_and_features(images)
    logits = network(images)
    return logits, logits


def last_layer(network: nn.Module, features: Tensor) -> tuple[Tensor, Tensor]:
    """Weight (k, f) and bias (k,) of the layer that makes logits of the features (n, f).

    The identity, if a network does not give features and its logits stand for them.
    """
    linear = (one for one in reversed(list(network.modules())) if isinstance(one, nn.Linear))
    layer = network.last if isinstance(network, Classifier) else next(linear, None)
    if layer is None or layer.in_features != features.shape[1]:
        return torch.eye(features.shape[1], device=features.device), features.new_zeros(features.shape[1])
    return layer.weight, layer.weight.new_zeros(len(layer.weight)) if layer.bias is None else layer.bias


def _lenet(width: int, channels: int, side: int) -> tuple[list[nn.Module], int]:
    """Two convolutions with pooling and a hidden layer (LeCun et al., 1998), with BatchNorm and ReLU."""
    return _two_convolutions(width, channels, side, normalized=True)


def _plainnet(width: int, channels: int, side: int) -> tuple[list[nn.Module], int]:
    return _two_convolutions(width, channels, side, normalized=False)


def _two_convolutions(width: int, channels: int, side: int, *, normalized: bool) -> tuple[list[nn.Module], int]:
    layers: list[nn.Module] = []
    for inputs, outputs in ((channels, width), (width, 2 * width)):
        layers.append(nn.Conv2d(inputs, outputs, 5, padding=2, bias=not normalized))
        layers += [batch_norm(outputs)] if normalized else []
        layers += _halved()
    hidden = 8 * width
    return [*layers, Flatten(), nn.Linear(2 * width * (side // 4) ** 2, hidden), nn.ReLU()], hidden


def _halved() -> list[nn.Module]:
    """Max pooling and a ReLU: both orders give the same result, and after the pooling there are fewer numbers."""
    return [HalvingMaxPool(), nn.ReLU()]


def _convnet4(width: int, channels: int, side: int) -> tuple[list[nn.Module], int]:
    layers, features = _four_convolutions(width, channels)
    return [*layers, nn.AdaptiveAvgPool2d(1), Flatten()], features


def _vgg(width: int, channels: int, side: int) -> tuple[list[nn.Module], int]:
    """Stacked 3×3 convolutions and a hidden layer (Simonyan and Zisserman, 2015), here small and with BatchNorm."""
    layers, features = _four_convolutions(width, channels)
    hidden = 8 * width
    return [*layers, Flatten(), nn.Linear(features * (side // 8) ** 2, hidden), nn.ReLU()], hidden


def _four_convolutions(width: int, channels: int) -> tuple[list[nn.Module], int]:
    """W, 2W, 4W and 4W channels; the side is halved after each of the first three. Also returns the output channels."""
    layers: list[nn.Module] = []
    inputs = channels
    for outputs in (width, 2 * width, 4 * width):
        layers += [*_convolution(inputs, outputs), *_halved()]
        inputs = outputs
    return [*layers, *_convolution(inputs, inputs), nn.ReLU()], inputs


class Residual(nn.Module):
    """x + branch(x), with a shortcut where the branch changes the shape, and a ReLU after the sum if wanted."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module, *, relu: bool) -> None:
        super().__init__()
        self.branch, self.shortcut = branch, shortcut
        self.after: nn.Module = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Activations (n, c, h, w) → (n, c′, h′, w′)."""
        return self.after(self.shortcut(x) + self.branch(x))  # type: ignore[no-any-return]


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    """3×3, no bias in front of the BatchNorm that follows."""
    return [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), batch_norm(outputs)]


def _basic_block(inputs: int, outputs: int, stride: int) -> Residual:
    """conv-BN-ReLU-conv-BN; a 1×1 convolution carries x where its shape changes (He et al., 2016, option B)."""
    branch = nn.Sequential(*_convolution(inputs, outputs, stride), nn.ReLU(), *_convolution(outputs, outputs))
    if stride == 1 and inputs == outputs:
        return Residual(branch, nn.Identity(), relu=True)
    carry = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
    return Residual(branch, nn.Sequential(carry, batch_norm(outputs)), relu=True)


def _resnet(width: int, channels: int, side: int, *, blocks: Sequence[int]) -> tuple[list[nn.Module], int]:
    """Stages of that many blocks, each half the side and twice the width of the one before (He et al., 2016).

    Three are the CIFAR ResNet of their §4.2; four are the larger one of §4.1, here with CIFAR's first convolution.
    """
    layers: list[nn.Module] = [*_convolution(channels, width), nn.ReLU()]
    inputs = width
    for stage, many in enumerate(blocks):
        for block in range(many):
            outputs = width * 2**stage
            layers.append(_basic_block(inputs, outputs, stride=2 if stage > 0 and block == 0 else 1))
            inputs = outputs
    return [*layers, nn.AdaptiveAvgPool2d(1), Flatten()], inputs


def _pre_activated_block(inputs: int, outputs: int, stride: int) -> nn.Module:
    """BN-ReLU-conv-BN-ReLU-conv; if the shape changes, a 1×1 convolution carries the output of the first ReLU."""
    first = [nn.BatchNorm2d(inputs), nn.ReLU()]
    rest = [*_convolution(inputs, outputs, stride), nn.ReLU(), nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)]
    if stride == 1 and inputs == outputs:
        return Residual(nn.Sequential(*first, *rest), nn.Identity(), relu=False)
    carry = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
    return nn.Sequential(*first, Residual(nn.Sequential(*rest), carry, relu=False))


def _wide_resnet(factor: int, channels: int, side: int, *, blocks: int) -> tuple[list[nn.Module], int]:
    """WRN-(6·blocks + 4)-factor (Zagoruyko and Komodakis, 2016, table 1)."""
    layers: list[nn.Module] = [nn.Conv2d(channels, 16, 3, padding=1, bias=False)]
    inputs = 16
    for stage in range(3):
        for block in range(blocks):
            outputs = 16 * factor * 2**stage
            layers.append(_pre_activated_block(inputs, outputs, stride=2 if stage > 0 and block == 0 else 1))
            inputs = outputs
    return [*layers, nn.BatchNorm2d(inputs), nn.ReLU(), nn.AdaptiveAvgPool2d(1), Flatten()], inputs


def _resnet9(width: int, channels: int, side: int) -> tuple[list[nn.Module], int]:
    """Made for fast training on CIFAR-10 (Page, How to train your ResNet, 2018): most of its work at low resolution."""

    def double(inputs: int) -> list[nn.Module]:
        return [*_convolution(inputs, 2 * inputs), *_halved()]

    def residual(features: int) -> Residual:
        twice = [*_convolution(features, features), nn.ReLU(), *_convolution(features, features), nn.ReLU()]
        return Residual(nn.Sequential(*twice), nn.Identity(), relu=False)

    first = [*_convolution(channels, width), nn.ReLU()]
    stages = [*double(width), residual(2 * width), *double(2 * width), *double(4 * width), residual(8 * width)]
    return [*first, *stages, nn.AdaptiveMaxPool2d(1), Flatten()], 8 * width


# By family: (width, channels, side) → the layers up to the features, and the number of features.
BODIES: dict[str, Callable[[int, int, int], tuple[list[nn.Module], int]]] = {
    "lenet": _lenet,
    "plainnet": _plainnet,
    "convnet4": _convnet4,
    "vgg": _vgg,
    "resnet8": partial(_resnet, blocks=(1, 1, 1)),
    "resnet9": _resnet9,
    "resnet14": partial(_resnet, blocks=(2, 2, 2)),
    "resnet18": partial(_resnet, blocks=(2, 2, 2, 2)),
    "resnet20": partial(_resnet, blocks=(3, 3, 3)),
    "resnet34": partial(_resnet, blocks=(3, 4, 6, 3)),
    "wrn16": partial(_wide_resnet, blocks=2),
    "wrn40": partial(_wide_resnet, blocks=6),
}
