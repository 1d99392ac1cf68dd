"""Chooses how a judge is made. It is a second network, of another architecture and seed, that classifies images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from nayer.networks.specs import ModelSpec, parse_architecture
from nayer.teachers.fit import TrainingSchedule

EPSILON = 0.0135  # × √(numbers of an image), the largest distance between two images: 0.75 at 3 × 32 × 32
SEED = 1_000_003  # added to the seed: a judge starts from other weights and sees other batches than its teacher


def judge_architecture(teacher: str, size: int) -> str:
    """An architecture of another family than the teacher's. Images of a small `size` in px get half the channels."""
    width = 8 if size < 12 else 16
    return f"resnet8-{width}" if parse_architecture(teacher)[0] == "convnet4" else f"convnet4-{width}"


def judge_cycles(cycles: Sequence[TrainingSchedule], spec: ModelSpec) -> tuple[TrainingSchedule, ...]:
    """The teacher's schedule with perturbed images. Such a network sees images more like people do."""
    epsilon = round(EPSILON * math.sqrt(spec.channels) * spec.size, 2)
    return tuple(replace(cycle, robust=cycle.robust or epsilon) for cycle in cycles)


def judge_rng(seed: int) -> torch.Generator:
    """The random generator for a judge's weights and batches."""
    return torch.Generator().manual_seed(seed + SEED)
