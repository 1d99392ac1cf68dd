"""A run in two halves: the task, which never changes, and the state, which a checkpoint can hold."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nayer.bn_statistics import Statistics
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.evaluation import Evaluator
from nayer.generator import Generator
from nayer.noisy_layer import NoisyLayer, group_size
from nayer.pool import Pool

HELD_BACK_CAPACITY = 500  # images; enough for a standard error of two points


@dataclass(frozen=True)
class Task:
    """What a run is given: the teacher is all that is known of the data."""

    config: Config
    teacher: nn.Module  # frozen, in eval mode, on `device`; images (n, c, h, w) in [0, 1] → logits (n, k)
    classes: tuple[str, ...]
    table: Tensor  # (k, d) on `device`
    image_shape: tuple[int, int, int]  # (c, h, w)
    mirror: bool  # whether a mirrored image keeps its class
    device: torch.device
    evaluator: Evaluator | None = None  # None: agreement on held-back samples

    def __post_init__(self) -> None:
        config, k = self.config, len(self.classes)
        if k < 2:
            raise ConfigError(f"teacher={config.teacher!r} knows {k} class; distillation needs at least 2.")
        if config.synthesis_batch < k:
            raise ConfigError(
                f"synthesis_batch={config.synthesis_batch} is smaller than the {k} classes; use at least {k}."
            )
        if len(self.table) != k:
            raise ConfigError(f"the embedding table has {len(self.table)} rows for {k} classes; it needs one a class.")
        if self.image_shape[1] != self.image_shape[2]:
            raise ConfigError(f"images of {self.image_shape[1]} × {self.image_shape[2]} pixels; only square ones work.")

    @property
    def labels(self) -> Tensor:
        """The wanted labels of a round's batch: 0…k−1, 0…k−1, … (n,)."""
        return torch.arange(self.config.synthesis_batch, device=self.device) % len(self.classes)

    @property
    def padding(self) -> int:
        """Pixels an image may be shifted by in front of teacher and student."""
        return round(self.config.crop_share * self.image_shape[1])

    @property
    def flip(self) -> bool:
        return self.config.flip and self.mirror


@dataclass
class RunState:
    """What changes while a run goes on. Between two rounds this is all there is to save."""

    generator: Generator
    student: nn.Module
    optimizer: torch.optim.SGD  # the student's
    pool: Pool
    held_back: Pool
    rng: torch.Generator  # on the CPU: every draw of the run
    bn_average: Statistics | None = None
    round: int = 0  # the next one
    student_phases: int = 0  # done
    seconds: float = 0.0  # of work, over all sittings


def new_state(task: Task, student: nn.Module, rng: torch.Generator) -> RunState:
    """The state before the first round; `student` is on the task's device, and `rng` is the run's from here on."""
    config, (channels, size, _) = task.config, task.image_shape
    k, n = len(task.classes), config.synthesis_batch
    group = group_size(config.routing, k, n)
    noisy = NoisyLayer(-(-n // group), task.table.shape[1], config.noisy_width, group, config.noisy_std)
    generator = Generator(
        task.table,
        noisy,
        channels=channels,
        size=size,
        width=config.generator_width,
        normalise_table=config.embedding_norm == "batch",
    ).to(task.device)
    generator.head.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    generator.rebuild(rng)
    optimizer = torch.optim.SGD(
        student.parameters(), lr=config.student_lr, momentum=config.student_momentum, weight_decay=config.weight_decay
    )
    return RunState(
        generator=generator,
        student=student,
        optimizer=optimizer,
        pool=Pool(config.pool_capacity, task.image_shape, task.device),
        held_back=Pool(HELD_BACK_CAPACITY, task.image_shape, task.device),
        rng=rng,
    )
