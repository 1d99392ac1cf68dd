"""Layers with the same results as PyTorch's, with fewer passes over memory on a CPU."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NARROW = 16  # channels; from this number on float32 fills a vector and a cache line, and PyTorch's own pass is as fast


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """The faster of two layers with the same result."""
    return NarrowBatchNorm2d(channels) if channels < NARROW else nn.BatchNorm2d(channels)


def moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (c,) and biased variance (c,) over n, h and w of (n, c, h, w), in float32 at least: BatchNorm's own pass."""
    wide = is_narrow(images)
    rows = _as_rows(images) if wide else images
    # These running statistics do not change. Their type makes the pass sum bfloat16 in float32.
    precise = torch.promote_types(images.dtype, torch.float32)
    unused = [torch.zeros(rows.shape[1], dtype=precise, device=images.device) for _ in range(2)]
    means, variances = torch.batch_norm_update_stats(rows, unused[0], unused[1], 0.0)
    if not wide:
        return means, variances
    means, variances = (part.view(images.shape[3], -1) for part in (means, variances))  # (w, c)
    mean = means.mean(dim=0)
    return mean, variances.mean(dim=0) + (means - mean).square().mean(dim=0)


def is_narrow(images: Tensor) -> bool:
    """Whether this module is faster for their memory layout: on a CPU, few channels, innermost."""
    return is_innermost(images) and images.shape[1] < NARROW


def is_innermost(images: Tensor) -> bool:
    """Whether they are on a CPU with each pixel's channels side by side in memory."""
    return images.is_contiguous(memory_format=torch.channels_last) and images.device.type == "cpu"


class NarrowBatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d` with its own passes for images in the layout of `is_narrow`."""

    running_mean: Tensor
    running_var: Tensor
    momentum: float

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) → the same shape, normalized over n, h and w."""
        count = images.numel() // images.shape[1]
        if not is_narrow(images) or count == 1 or torch.compiler.is_compiling():
            return super().forward(
                images
            )  # it has the error message for the variance of one number, and it can be compiled
        if not self.training:
            return _normalized(images, self.running_mean, self.running_var, self.weight, self.bias, self.eps)
        normalized, mean, variance = _Normalize.apply(images, self.weight, self.bias, self.eps)  # type: ignore[no-untyped-call]
        if not self.track_running_stats:
            return normalized  # type: ignore[no-any-return]
        with torch.no_grad():
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        return normalized  # type: ignore[no-any-return]


class _Normalize(torch.autograd.Function):
    """Images (n, c, h, w), weight (c,), bias (c,), ε → normalized images, their mean (c,) and biased variance (c,)."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        mean, variance = moments(images)
        ctx.save_for_backward(images, weight, mean, variance)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance)
        return _normalized(images, mean, variance, weight, bias, eps), mean, variance

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor, None]:
        images, weight, mean, variance = ctx.saved_tensors
        across, count = images.shape[3], images.numel() // images.shape[1]
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        wide = [part.repeat(across) for part in (weight, mean, variance)]
        _, by_weights, by_biases = torch.ops.aten.native_batch_norm_backward(
            _as_rows(gradient), _as_rows(images), *wide, None, None, False, ctx.eps, [False, True, True]
        )
        by_weight, by_bias = (part.view(across, -1).sum(dim=0) for part in (by_weights, by_biases))
        # ∂x = (γ/σ) · (∂y − mean(∂y) − x̂ · mean(∂y · x̂)) (Ioffe & Szegedy, 2015, §3), as (γ/σ) · ∂y + b · x + c
        inverse = torch.rsqrt(variance + ctx.eps)
        scale = weight * inverse
        b = -scale * inverse * by_weight / count
        c = -scale * by_bias / count - b * mean
        straight, rows = _as_rows(affine(gradient, scale, c)), _as_rows(images)
        by_rows = torch.addcmul(straight, rows, b.to(images.dtype).repeat(across)[:, None, None])
        return _as_images(by_rows, images.shape), by_weight, by_bias, None


def affine(images: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """scale · images + shift, channel by channel; both (c,). Computed in float32 at least, and rounded once."""
    zeros, ones = torch.zeros_like(scale), torch.ones_like(scale)
    if is_narrow(images):
        return _normalized(images, zeros, ones, scale, shift, 0.0)
    return F.batch_norm(images, zeros, ones, scale, shift, eps=0.0)


def _normalized(images: Tensor, mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """weight · (images − mean) / √(variance + ε) + bias, channel by channel; each of those (c,)."""
    mean, variance, weight, bias = (part.repeat(images.shape[3]) for part in (mean, variance, weight, bias))  # (w·c,)
    return _as_images(F.batch_norm(_as_rows(images), mean, variance, weight, bias, eps=eps), images.shape)


def _as_rows(images: Tensor) -> Tensor:
    """(n, c, h, w), channels innermost → (n, w·c, h, 1), the same memory."""
    n, c, h, w = images.shape
    return images.permute(0, 2, 3, 1).reshape(n, h, 1, w * c).permute(0, 3, 1, 2)


def _as_images(rows: Tensor, shape: torch.Size) -> Tensor:
    """The inverse of `_as_rows`: rows → images of `shape`."""
    n, c, h, w = shape
    return rows.permute(0, 2, 3, 1).reshape(n, h, w, c).permute(0, 3, 1, 2)


class HalvingMaxPool(nn.MaxPool2d):
    """`nn.MaxPool2d(2)`; without a gradient, the maximum of four slices.

    PyTorch stores the place of each maximum, but only a gradient needs it. With few channels innermost in memory its
    windows do not fill a vector.
    """

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) → (n, c, h // 2, w // 2)."""
        if _wants_gradient(images) or not _is_worthwhile(images):
            return super().forward(images)  # type: ignore[no-any-return]
        pixels = images.permute(0, 2, 3, 1)  # (n, h, w, c)
        h, w = (side // 2 * 2 for side in images.shape[2:])
        rows = torch.maximum(pixels[:, 0:h:2], pixels[:, 1:h:2])
        return torch.maximum(rows[:, :, 0:w:2], rows[:, :, 1:w:2]).permute(0, 3, 1, 2)


class Flatten(nn.Flatten):
    """`nn.Flatten()` whose gradient has the same memory layout as the images.

    PyTorch's gradient has the channels outermost. A pass over two tensors of different layouts takes ten times longer.
    """

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) → (n, c·h·w)."""
        if _wants_gradient(images) and _is_worthwhile(images):
            images.register_hook(_with_channels_innermost)
        return super().forward(images)


def _wants_gradient(images: Tensor) -> bool:
    return torch.is_grad_enabled() and images.requires_grad


def _is_worthwhile(images: Tensor) -> bool:
    """In other cases PyTorch is as fast, and compiled code has its own optimization."""
    return is_innermost(images) and not torch.compiler.is_compiling()


def _with_channels_innermost(gradient: Tensor) -> Tensor:
    return gradient.contiguous(memory_format=torch.channels_last)
