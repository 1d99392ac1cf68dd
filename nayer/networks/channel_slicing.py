"""Starts a student with a share of its teacher's channels, if it is a narrower copy of the teacher."""

from __future__ import annotations

import math

import torch
from torch import nn


def is_narrower_copy(teacher: nn.Module, student: nn.Module) -> bool:
    """Whether the two differ in width alone: the same tensors by name, none of the student's larger."""
    wide, narrow = teacher.state_dict(), student.state_dict()
    return wide.keys() == narrow.keys() and all(
        wide[name].dim() == tensor.dim() and all(n <= m for n, m in zip(tensor.shape, wide[name].shape, strict=True))
        for name, tensor in narrow.items()
    )


@torch.no_grad()
def init_from_teacher_channels(teacher: nn.Module, student: nn.Module) -> None:
    """Gives the student the first channels of every layer of its teacher; the two must fit.

    A layer then has fewer inputs. So its weights grow by √(inputs before / inputs now), which keeps the spread of its
    outputs. Any choice of channels would fit if it is the same in every layer. The choice uses no images. The best
    choice differs from teacher to teacher (docs/speed.md).
    """
    wide = teacher.state_dict()
    for name, mine in student.state_dict().items():
        theirs = wide[name]
        gain = math.sqrt(theirs.shape[1] / mine.shape[1]) if mine.dim() > 1 else 1.0  # weights: (outputs, inputs, …)
        mine.copy_(gain * theirs[tuple(slice(n) for n in mine.shape)])
