"""Layers that give what PyTorch's give, with fewer passes over memory on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nayer.networks.narrow_norm import is_innermost


class Halving(nn.MaxPool2d):
    """`nn.MaxPool2d(2)`, and where no gradient is wanted the maximum of four slices.

    PyTorch notes where each maximum was, which only a gradient asks for, and with few channels innermost in memory its
    windows fill no vector.
    """

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) → (n, c, h // 2, w // 2)."""
        if _wants_gradient(images) or not _pays(images):
            return super().forward(images)  # type: ignore[no-any-return]
        pixels = images.permute(0, 2, 3, 1)  # (n, h, w, c)
        h, w = (side // 2 * 2 for side in images.shape[2:])
        rows = torch.maximum(pixels[:, 0:h:2], pixels[:, 1:h:2])
        return torch.maximum(rows[:, :, 0:w:2], rows[:, :, 1:w:2]).permute(0, 3, 1, 2)


class Flatten(nn.Flatten):
    """`nn.Flatten()`, whose gradient lies in memory as the images do.

    As it comes it has the channels outermost, and a pass over two tensors that lie differently takes ten times as long.
    """

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) → (n, c·h·w)."""
        if _wants_gradient(images) and _pays(images):
            images.register_hook(_with_channels_innermost)
        return super().forward(images)


def _wants_gradient(images: Tensor) -> bool:
    return torch.is_grad_enabled() and images.requires_grad


def _pays(images: Tensor) -> bool:
    """Elsewhere PyTorch is as fast, and what is compiled finds its own way."""
    return is_innermost(images) and not torch.compiler.is_compiling()


def _with_channels_innermost(gradient: Tensor) -> Tensor:
    return gradient.contiguous(memory_format=torch.channels_last)
