"""Hooks that read BatchNorm statistics and activations of a network inside a block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from nayer.common.parts import part
from nayer.networks.classifiers import Classifier
from nayer.networks.cpu_layers import affine, moments

Statistics = list[tuple[Tensor, Tensor]]  # per layer: mean (c,), biased variance (c,)


class Hooks(ABC):
    """A context that adds hooks to layers when it is entered, and removes them all when it is left."""

    def __init__(self) -> None:
        self._handles = ExitStack()

    def __enter__(self) -> Self:
        for handle in self.added():
            self._handles.enter_context(handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handles.close()

    @abstractmethod
    def added(self) -> Iterable[RemovableHandle]:
        """Adds the hooks to their layers, and gives the handle of each."""


class BatchNormStatsHook(Hooks):
    """Inside the block, `batch` holds the statistics at each BatchNorm2d input of the last forward pass.

    `instances` are the means of each image there, if they are asked for. Both carry gradient. `running` are the
    statistics that the same layers learned from real images. All are empty for a network without BatchNorm2d. They
    leave out layers that the pass did not use.
    """

    def __init__(self, network: nn.Module, *, instances: bool = False) -> None:
        super().__init__()
        self._layers = with_statistics(network)
        self._seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}
        self._means: dict[nn.Module, Tensor] | None = {} if instances else None

    def added(self) -> Iterable[RemovableHandle]:
        """A hook before each layer."""
        return [layer.register_forward_pre_hook(self._read) for layer in self._layers]

    @part("losses")
    def _read(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._seen[layer] = _Moments.apply(inputs[0])  # type: ignore[no-untyped-call]
        if self._means is not None:
            self._means[layer] = inputs[0].mean(dim=(2, 3))

    @property
    def batch(self) -> Statistics:
        """Mean and biased variance (c,) of each layer that the last pass used, with gradient."""
        return [self._seen[layer] for layer in self._layers if layer in self._seen]

    @property
    def layers(self) -> Sequence[nn.Module]:
        """The layers that the last pass used, in the order of `batch` and `running`."""
        return [layer for layer in self._layers if layer in self._seen]

    @property
    def instances(self) -> Tensor | None:
        """Each image's mean over the pixels, at all layers (n, Σ c), with gradient. None if there are no layers."""
        return torch.cat([self._means[layer].float() for layer in self.layers], dim=1) if self._means else None

    @property
    def running(self) -> Statistics:
        """The statistics that the same layers learned from real images: mean and variance (c,)."""
        return [(layer.running_mean, layer.running_var) for layer in self._layers if layer in self._seen]  # type: ignore[misc]


def with_statistics(network: nn.Module) -> list[nn.BatchNorm2d]:
    """The layers that keep statistics of real images; a LayerNorm keeps none."""
    return [m for m in network.modules() if isinstance(m, nn.BatchNorm2d) and m.running_mean is not None]


class _Moments(torch.autograd.Function):
    """Features (n, c, h, w) → mean (c,) and biased variance (c,): BatchNorm's own pass over them.

    Ten times faster on a CPU than `var` and `mean` over three dimensions, and their gradient is one pass too.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> tuple[Tensor, Tensor]:
        mean, variance = moments(features)
        ctx.save_for_backward(features, mean)
        return mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        features, mean = ctx.saved_tensors
        by_mean, by_variance = gradients
        count = features.numel() // features.shape[1]
        slope = 2.0 * by_variance / count  # dσ²/dx = 2 (x − μ) / count, and dμ/dx = 1 / count
        offset = by_mean / count - slope * mean
        return affine(features, slope, offset)


def ema(batch: Statistics, average: Statistics | None, momentum: float) -> Statistics:
    """(1 − momentum) · batch + momentum · average, layer by layer; the batch itself if there is no average yet."""
    if average is None:
        return batch
    keep = 1.0 - momentum
    return [
        (keep * mean + momentum * past_mean, keep * variance + momentum * past_variance)
        for (mean, variance), (past_mean, past_variance) in zip(batch, average, strict=True)
    ]


class ActivationHooks(Hooks):
    """Inside the block, `sides` are the side lengths of the last pass's maps; `at` gives the last map of each length.

    Length 1 gives the features that enter the last layer. Empty for a network whose layers may not follow
    one another.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._layers = list(network.body) if isinstance(network, Classifier) else []
        # Our networks pool before the ReLU: the same result at less cost. So pooled maps are not rectified yet.
        self._rectified_later = {
            layer
            for layer, pool, relu in zip(self._layers, self._layers[1:], self._layers[2:], strict=False)
            if isinstance(pool, nn.MaxPool2d) and isinstance(relu, nn.ReLU)
        }
        self._last: dict[int, tuple[nn.Module, Tensor]] = {}

    def added(self) -> Iterable[RemovableHandle]:
        """A hook after each layer."""
        return [layer.register_forward_hook(self._read) for layer in self._layers]

    @property
    def sides(self) -> list[int]:
        """In ascending order, so the deepest comes first."""
        return sorted(self._last)

    def at(self, side: int) -> Tensor:
        """The activations (n, c, side, side); for side 1 (n, f)."""
        layer, output = self._last[side]
        return F.relu(output) if layer in self._rectified_later else output

    def _read(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self._last[output.shape[-1] if output.dim() == 4 else 1] = layer, output
