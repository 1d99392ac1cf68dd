"""Images moved a little so that a network errs: what adversarial training learns from, and what it is measured on."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nayer.distillation.evaluation import CHUNK, frozen_eval
from nayer.networks.precision import autocast

REACH = 2.5  # × ε, the way of all steps together where there are more than two (Madry et al., 2018)
FLAT = 1e-10  # an image whose gradient is shorter stays nearly where it is


def perturbed(
    network: nn.Module, images: Tensor, labels: Tensor, epsilon: float, steps: int, precision: str = "float32"
) -> Tensor:
    """Images (n, c, h, w) in [0, 1], each at most `epsilon` away in L2, where the network is less sure of its label.

    `steps` of projected gradient ascent on the cross-entropy, from the images themselves (Madry et al., 2018; in L2:
    Engstrom et al., 2019). A step follows the gradient's direction, `epsilon` long, or 2.5 · `epsilon` / `steps` where
    there are more than two; then the way is cut to `epsilon` and the pixels to [0, 1]. Meanwhile the network is in eval
    mode, as in the robustness library, so that its running statistics are those of what it learns from. Draws nothing.
    """
    step = epsilon if steps <= 2 else REACH * epsilon / steps
    moved = images.detach()
    with frozen_eval(network), torch.enable_grad():
        for _ in range(steps):
            moved.requires_grad_(True)
            with autocast(precision, images.device):
                logits = network(moved)
            loss = F.cross_entropy(logits.float(), labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, moved)
            way = moved.detach() + step * gradient / (_lengths(gradient) + FLAT) - images
            moved = (images + way * (epsilon / _lengths(way).clamp(min=epsilon))).clamp(0.0, 1.0)
    return moved


def _lengths(images: Tensor) -> Tensor:
    """The L2 norm of each of (n, c, h, w): (n, 1, 1, 1)."""
    lengths: Tensor = torch.linalg.vector_norm(images, dim=(1, 2, 3), keepdim=True)
    return lengths


def perturbed_accuracy(network: nn.Module, images: Tensor, labels: Tensor, epsilon: float, steps: int) -> float:
    """The share of uint8 images (n, c, h, w) that the network is right for after `perturbed`, 0..1."""
    hits = []
    for chunk, wanted in zip(images.split(CHUNK), labels.split(CHUNK), strict=True):
        moved = perturbed(network, chunk.float() / 255.0, wanted, epsilon, steps)
        with torch.no_grad(), frozen_eval(network):
            hits.append(network(moved).argmax(dim=1) == wanted)
    return torch.cat(hits).float().mean().item()
