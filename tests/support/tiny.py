"""A run that is small enough for every test: 3 classes, 8 × 8 pixels, a few steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator, Sequence
from itertools import count
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from nayer.common.stopwatch import Stopwatch
from nayer.config import Config
from nayer.distillation.evaluation import Evaluator
from nayer.distillation.state import RunState, new_state
from nayer.distillation.task import Task
from nayer.distillation.train import train
from nayer.events import Event
from nayer.networks.classifiers import initialize

T = TypeVar("T")
CLASSES = ("cat", "dog", "boat")
# A run of a shipped teacher, of a second.
QUICK = Config(
    teacher="digits",
    rounds=3,
    warmup_rounds=1,
    generator_steps=2,
    student_steps=2,
    noisy_width=32,
    synthesis_batch=20,
    device="cpu",
)
# A run of a shipped teacher whose rounds take some hundredths of a second; each test says how many.
QUICK_ROUNDS: dict[str, Any] = {
    "teacher": "digits",
    "generator_steps": 2,
    "generator_width": 4,
    "synthesis_batch": 20,
    "student_steps": 2,
    "warmup_rounds": 1,
}


def tiny_config(**changes: object) -> Config:
    values: dict[str, object] = {
        "rounds": 4,
        "warmup_rounds": 1,
        "generator_steps": 3,
        "generator_width": 2,
        "noisy_width": 16,
        "synthesis_batch": 7,
        "student_steps": 3,
        "student_batch": 8,
        "pool_capacity": 12,
        "held_back": 0.2,
        "generator_reset_every": 2,
        "device": "cpu",
    }
    return Config.parse({**values, **changes})


def tiny_network(channels: int, *, batchnorm: bool = True, seed: int = 0) -> nn.Module:
    """A frozen-size classifier of 8 × 8 images into 3 classes."""
    norm: nn.Module = nn.BatchNorm2d(4) if batchnorm else nn.Identity()
    network = nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1), norm, nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(16, 3)
    )
    initialize(network, torch.Generator().manual_seed(seed))
    return network


def tiny_task(
    config: Config | None = None, *, channels: int = 1, batchnorm: bool = True, evaluator: Evaluator | None = None
) -> Task:
    teacher = tiny_network(channels, batchnorm=batchnorm, seed=1).eval().requires_grad_(False)
    table = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32))
    return Task(
        config=config or tiny_config(),
        teacher=teacher,
        classes=CLASSES,
        table=table,
        image_shape=(channels, 8, 8),
        mirror=True,
        device=torch.device("cpu"),
        evaluator=evaluator,
    )


def tiny_state(task: Task) -> RunState:
    student = tiny_network(task.image_shape[0], seed=2)
    return new_state(task, student, torch.Generator().manual_seed(task.config.seed))


def tiny_run(task: Task, state: RunState | None = None) -> Iterator[Event]:
    """The run's events, with a clock that advances at each reading."""
    ticks = count()
    return train(task, state or tiny_state(task), Stopwatch(now=lambda: float(next(ticks))))


def same(a: object, b: object) -> bool:
    """Whether events, or their contents, are equal bit for bit, except for the seconds."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if dataclasses.is_dataclass(a):
        names = [field.name for field in dataclasses.fields(a) if field.name != "seconds"]
        return all(same(getattr(a, name), getattr(b, name)) for name in names)
    return a == b


def all_same(a: Sequence[object], b: Sequence[object]) -> bool:
    return len(a) == len(b) and all(map(same, a, b))


def returned(steps: Generator[object, None, T]) -> T:
    """The return value of a generator after its last yield."""
    try:
        while True:
            next(steps)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
