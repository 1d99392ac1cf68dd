"""A classifier as plain layers and numbers, so that a program without PyTorch can compute its logits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from nayer.networks.classifiers import Classifier, Residual
from nayer.networks.specs import ModelSpec
from nayer.types import Codes, Doubles, Floats

LEVELS = 127  # codes on each side of 0

Layer = list[Any]  # its kind, then its sizes, as `layers_of` lists them; ready for JSON


@dataclass(frozen=True, slots=True)
class Shape:
    """The layers of a network without its numbers, and how many numbers it has."""

    layers: list[Layer]
    weights: int
    biases: int


@dataclass(frozen=True, slots=True)
class RoundedWeights:
    """The numbers of a network in a quarter of the bytes: a weight is its code times the step of its output.

    `codes` are all weights in the order of the layers. `numbers` are the steps of a layer's outputs, then its biases,
    layer by layer.
    """

    codes: Codes  # (n,)
    numbers: Floats  # (m,) the last axis of the layers' outputs, twice


@lru_cache(maxsize=16)
def shape_of(spec: ModelSpec) -> Shape | None:
    """The layers of that network, and how many numbers they have; None if it has a layer of another kind.

    No memory is taken for the numbers. Raises ConfigError for a network that cannot be built.
    """
    with torch.device("meta"):
        network = Classifier(spec)
    parts: list[_Part] = []
    try:
        layers = _layers([*network.body, network.last], parts)
    except TypeError:
        return None
    weights = [cast("Tensor", module.weight) for module, _ in parts]
    return Shape(layers, sum(weight.numel() for weight in weights), sum(len(weight) for weight in weights))


@torch.no_grad()
def plain_weights(network: Classifier) -> list[tuple[Floats, Floats]]:
    """The weight (outputs, …) and bias (outputs,) of each layer that has them, in the order of `shape_of`.

    The network is taken in evaluation mode: a BatchNorm is a part of the convolution before it. Its input is a
    normalized image, (image − mean) / std. Raises TypeError for a layer of another kind.
    """
    parts: list[_Part] = []
    _layers([*network.body, network.last], parts)
    return [_numbers(module, norm) for module, norm in parts]


def rounded(weights: Iterable[tuple[Floats, Floats]]) -> RoundedWeights:
    """The weights rounded to 8 bits, with the step of each output such that its largest weight has the last code."""
    codes, numbers = [], []
    for weight, bias in weights:
        rows = weight.reshape(len(weight), -1)
        steps = np.maximum(np.abs(rows).max(axis=1), 1e-30) / LEVELS  # (outputs,)
        codes.append(np.rint(rows / steps[:, None]).astype(np.int8).ravel())
        numbers += [steps.astype(np.float32), bias]
    return RoundedWeights(np.concatenate(codes), np.concatenate(numbers))


_Part = tuple[nn.Module, "nn.BatchNorm2d | None"]  # a layer with numbers, and the BatchNorm that is a part of it


def _layers(modules: Iterable[nn.Module], parts: list[_Part]) -> list[Layer]:
    """The layers of these modules; those with numbers are added to `parts`."""
    found: list[Layer] = []
    waiting = list(_in_order(modules))
    for place, module in enumerate(waiting):
        after = waiting[place + 1] if place + 1 < len(waiting) else None
        match module:
            case Residual():
                both = [_layers([part], parts) for part in (module.branch, module.shortcut)]
                found.append(["residual", *both])
                found += _layers([module.after], parts)
            case nn.Conv2d(groups=1, dilation=(1, 1)):
                parts.append((module, after if isinstance(after, nn.BatchNorm2d) else None))
                sizes = module.in_channels, module.out_channels, module.kernel_size[0]
                found.append(["conv", *sizes, module.stride[0], int(module.padding[0])])
            case nn.BatchNorm2d():
                if place == 0 or not isinstance(waiting[place - 1], nn.Conv2d):
                    parts.append((module, None))
                    found.append(["scale", module.num_features])
            case nn.Linear():
                parts.append((module, None))
                found.append(["linear", module.in_features, module.out_features])
            case nn.MaxPool2d():
                found.append(["halve"])
            case nn.ReLU():
                found.append(["relu"])
            case nn.AdaptiveAvgPool2d():
                found.append(["mean"])
            case nn.AdaptiveMaxPool2d():
                found.append(["largest"])
            case nn.Flatten() | nn.Identity():
                pass
            case _:
                raise TypeError(
                    f"{type(module).__name__} is a layer that neither this file nor app/static/panels/forward_pass.js "
                    "knows; add it to both."
                )
    return found


def _in_order(modules: Iterable[nn.Module]) -> Iterator[nn.Module]:
    for module in modules:
        if isinstance(module, nn.Sequential):
            yield from _in_order(module)
        else:
            yield module


def _numbers(module: nn.Module, norm: nn.BatchNorm2d | None) -> tuple[Floats, Floats]:
    if isinstance(module, nn.BatchNorm2d):
        scale, shift = _affine(module)
        return scale.astype(np.float32), shift.astype(np.float32)
    weight = _double(module.weight)
    bias = np.zeros(len(weight)) if module.bias is None else _double(module.bias)
    if norm is not None:
        scale, shift = _affine(norm)
        weight, bias = weight * scale[:, None, None, None], bias * scale + shift
    return weight.astype(np.float32), bias.astype(np.float32)


def _affine(norm: nn.BatchNorm2d) -> tuple[Doubles, Doubles]:
    """BatchNorm in evaluation mode as scale · x + shift, each (c,)."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = _double(norm.weight) / np.sqrt(_double(norm.running_var) + norm.eps)
    return scale, _double(norm.bias) - _double(norm.running_mean) * scale


def _double(values: Any) -> Doubles:
    found: Doubles = values.detach().double().cpu().numpy()
    return found
