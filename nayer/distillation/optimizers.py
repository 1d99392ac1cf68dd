"""The optimizers of generator and student, and the student's learning rate."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from nayer.config import Config
from nayer.networks.generator import Generator

MOMENTUM = 0.9  # of the student's SGD, as published (Tran et al., 2024) and as in DAFL, CMI and Fast


def generator_optimizer(config: Config, generator: Generator, noise: Tensor | None = None) -> torch.optim.Adam | None:
    """A new Adam for the generator, and for noise that takes gradients. None if nothing is trained."""
    groups: list[dict[str, Any]] = []
    if config.generator_lr and (weights := list(generator.parameters())):
        groups.append({"params": weights, "lr": config.generator_lr})
    if noise is not None and noise.requires_grad:
        groups.append({"params": [noise], "lr": config.z_lr})
    return _adam(config, groups) if groups else None


def generator_learning_rate(config: Config, share: float) -> float:
    """The rate of the generator's weights after this share of the run, if it falls along a cosine."""
    return cosine(config.generator_lr, 0.0, share)


def contrast_optimizer(config: Config, contrast: nn.Module | None) -> torch.optim.Adam | None:
    """Adam for CMI's projection, which learns over the whole run. None if there is nothing to learn."""
    weights = [] if contrast is None else list(contrast.parameters())
    return torch.optim.Adam(weights, lr=config.generator_lr, fused=True) if weights else None


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
