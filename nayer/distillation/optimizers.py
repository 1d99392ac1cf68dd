"""The optimizers of generator and student, and the student's learning rate."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from nayer.config import Config
from nayer.networks.contrastive_head import ContrastiveHead
from nayer.networks.generator import Generator

MOMENTUM = 0.9  # of the student's SGD, as published (Tran et al., 2024) and as in DAFL, CMI and Fast


def generator_optimizer(
    config: Config, generator: Generator, contrast: ContrastiveHead | None, noise: Tensor | None = None
) -> torch.optim.Adam:
    """A new Adam for the generator and the parts trained with it: CMI's projection, and noise that takes gradients."""
    groups: list[dict[str, Any]] = [{"params": list(generator.parameters()), "lr": config.generator_lr}]
    if contrast is not None:
        groups.append({"params": list(contrast.parameters()), "lr": config.generator_lr})
    if noise is not None and noise.requires_grad:
        groups.append({"params": [noise], "lr": config.z_lr})
    return _adam(config, groups)


def meta_optimizer(config: Config, generator: Generator) -> torch.optim.Adam | None:
    """Adam for the generator's starting point, with FOMAML; None without."""
    return _adam(config, [{"params": generator.parameters(), "lr": config.meta_lr}]) if config.meta_lr else None


def add_gradients(start: nn.Module, moved: nn.Module) -> None:
    """First-order MAML (Finn et al., 2017, §5.2): the copy's gradients, summed over its steps, move its start."""
    for here, there in zip(start.parameters(), moved.parameters(), strict=True):
        if there.grad is not None:
            here.grad = there.grad.clone() if here.grad is None else here.grad + there.grad


def student_optimizer(config: Config, student: nn.Module) -> torch.optim.Optimizer:
    """SGD or Adam, as the config says."""
    weights, rate, decay = student.parameters(), config.student_lr, config.weight_decay
    if config.student_optimizer == "adam":
        return torch.optim.Adam(weights, lr=rate, weight_decay=decay, fused=True)
    return torch.optim.SGD(weights, lr=rate, momentum=MOMENTUM, weight_decay=decay, fused=True)


def student_learning_rate(config: Config, phases: int, step: int, share_of_work: float) -> float:
    """The rate of step `step` of a phase, after `phases` whole ones and this share of the planned work.

    It falls along a cosine with the share of the run that is over, by planned steps or by planned work: the larger
    of the two. It does not follow the clock, because a busy machine would then give a different student.
    """
    planned = max(1, config.student_phases * config.student_steps)
    by_steps = (phases * config.student_steps + step) / planned
    return cosine(config.student_lr, config.student_lr_end, max(by_steps, share_of_work))


def cosine(start: float, end: float, share: float) -> float:
    """From `start` at share 0 to `end` at share 1, along half a cosine (Loshchilov & Hutter, 2017, eq. 5)."""
    return end + (start - end) * (1.0 + math.cos(math.pi * min(1.0, share))) / 2.0


def _adam(config: Config, groups: list[dict[str, Any]]) -> torch.optim.Adam:
    # Fused: the noisy layers hold most weights; separate operations for their step cost more than a convolution.
    return torch.optim.Adam(groups, betas=(config.generator_beta1, 0.999), fused=True)
