"""Changes images a little so that a network makes errors. Adversarial training uses them to learn and to measure."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nayer.distillation.evaluation import CHUNK, frozen_eval
from nayer.networks.execution import autocast

REACH = 2.5  # × ε, the length of all steps together if there are more than two (Madry et al., 2018)
FLAT = 1e-10  # an image whose gradient is shorter hardly changes


def perturbed(
    network: nn.Module, images: Tensor, labels: Tensor, epsilon: float, steps: int, precision: str = "float32"
) -> Tensor:
    """Images (n, c, h, w) in [0, 1], each at most `epsilon` away in L2. The network is less sure of their labels.

    `steps` of projected gradient ascent on the cross-entropy, from the images themselves (Madry et al., 2018; in L2:
    Engstrom et al., 2019). A step follows the gradient's direction. It is `epsilon` long, or 2.5 · `epsilon` / `steps`
    if there are more than two. Then the change is cut to `epsilon` and the pixels to [0, 1]. The network is in eval
    mode during the steps, as in the robustness library: only images that it learns from enter its running statistics.
    Draws no random numbers.
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
    """The share of uint8 images (n, c, h, w) that the network classifies correctly after `perturbed`, 0..1."""
    hits = []
    for chunk, wanted in zip(images.split(CHUNK), labels.split(CHUNK), strict=True):
        moved = perturbed(network, chunk.float() / 255.0, wanted, epsilon, steps)
        with torch.no_grad(), frozen_eval(network):
            hits.append(network(moved).argmax(dim=1) == wanted)
    return torch.cat(hits).float().mean().item()
