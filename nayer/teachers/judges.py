"""How a judge is made: a second network of another architecture and seed that classifies a run's images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from nayer.networks.specs import ModelSpec, parse_architecture
from nayer.teachers.fit import TrainingSchedule

EPSILON = 0.0135  # of √(numbers of an image), the farthest that two images can be apart: 0.75 at 3 × 32 × 32
SEED = 1_000_003  # added to the seed, so that a judge and its teacher start from other weights and see other batches


def judge_architecture(teacher: str, size: int) -> str:
    """Another family than the teacher's, for images of `size` px: small ones get half the channels."""
    width = 8 if size < 12 else 16
    return f"resnet8-{width}" if parse_architecture(teacher)[0] == "convnet4" else f"convnet4-{width}"


def judge_cycles(cycles: Sequence[TrainingSchedule], spec: ModelSpec) -> tuple[TrainingSchedule, ...]:
    """The teacher's way of learning with perturbed images: such a network sees more as people do."""
    epsilon = round(EPSILON * math.sqrt(spec.channels) * spec.size, 2)
    return tuple(replace(cycle, robust=cycle.robust or epsilon) for cycle in cycles)


def judge_rng(seed: int) -> torch.Generator:
    """What a judge's weights and batches are drawn from."""
    return torch.Generator().manual_seed(seed + SEED)
