"""Max pooling of two by two: PyTorch's own where a gradient is wanted, the maximum of four slices where none is.

PyTorch notes where each maximum was, which only a gradient asks for, and with few channels innermost in memory its
windows fill no vector.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Halving(nn.MaxPool2d):
    """`nn.MaxPool2d(2)`, the same numbers, faster for networks that are only asked."""

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) → (n, c, h // 2, w // 2)."""
        if not _is_only_asked(images):
            return super().forward(images)  # type: ignore[no-any-return]
        pixels = images.permute(0, 2, 3, 1)  # (n, h, w, c)
        h, w = (side // 2 * 2 for side in images.shape[2:])
        rows = torch.maximum(pixels[:, 0:h:2], pixels[:, 1:h:2])
        return torch.maximum(rows[:, :, 0:w:2], rows[:, :, 1:w:2]).permute(0, 3, 1, 2)


def _is_only_asked(images: Tensor) -> bool:
    """Whether no gradient goes back through them, and they lie as the slices are fast: on a CPU, channels innermost."""
    gradient = torch.is_grad_enabled() and images.requires_grad
    innermost = images.is_contiguous(memory_format=torch.channels_last)
    return not gradient and innermost and images.device.type == "cpu" and not torch.compiler.is_compiling()
