"""The inputs of a run. They do not change during the run, except its config between two rounds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nayer.analysis.baselines import TeacherOutputs
from nayer.config import Config
from nayer.distillation.evaluation import Evaluator, Judge
from nayer.errors import ConfigError
from nayer.networks.execution import autocast


@dataclass(frozen=True, slots=True)
class StepWork:
    """Multiply-adds of one step, of all networks in it, forward and backward. Measurements are not counted."""

    warmup: int  # of the generator, while the student is not used
    generator: int
    student: int


@dataclass(frozen=True)
class Task:
    """The inputs of a run; the only information about the data is the teacher."""

    config: Config
    teacher: nn.Module  # frozen, in eval mode, on `device`; images (n, c, h, w) in [0, 1] → logits (n, k)
    classes: tuple[str, ...]
    table: Tensor  # (k, d) on `device`
    image_shape: tuple[int, int, int]  # (c, h, w)
    mirror: bool  # whether a mirrored image keeps its class
    device: torch.device
    evaluator: Evaluator | None = None  # None: agreement on held-back samples
    real: Callable[[], TeacherOutputs] | None = (
        None  # the teacher's outputs for labeled test images: an end-point of diversity
    )
    step_work: StepWork | None = None  # counted if the config limits the work

    judge: Judge | None = None  # gives a second opinion on each batch; None: there is none
    judge_fault: str = ""  # why an expected judge is missing, in one sentence

    def __post_init__(self) -> None:
        config, k = self.config, len(self.classes)
        if k < 2:
            raise ConfigError(f"teacher={config.teacher!r} has {k} class; distillation needs at least 2.")
        if config.synthesis_batch < k:
            raise ConfigError(
                f"synthesis_batch={config.synthesis_batch} is smaller than the {k} classes; use at least {k}."
            )
        if len(self.table) != k:
            raise ConfigError(
                f"the embedding table has {len(self.table)} rows for {k} classes; it needs one row per class."
            )
        if self.image_shape[1] != self.image_shape[2]:
            raise ConfigError(
                f"images must be square; {self.image_shape[1]} × {self.image_shape[2]} pixels were given."
            )

    def autocast(self) -> AbstractContextManager[object]:
        """Inside the block, networks compute in the config's precision; their outputs may be bfloat16."""
        return autocast(self.config.precision, self.device)

    def share_of_work(self, done: int) -> float:
        """The share of the planned work that `done` multiply-adds are; 0 if the work has no limit."""
        return done / (self.config.work * 1e9) if self.config.work else 0.0

    @property
    def labels(self) -> Tensor:
        """The wanted labels of a batch: 0…k−1, 0…k−1, … (n,)."""
        return torch.arange(self.config.synthesis_batch, device=self.device) % len(self.classes)

    def drawn_labels(self, rng: torch.Generator) -> Tensor:
        """The wanted labels of a round (n,): whole sets of classes, and the rest at random, as published."""
        labels, k = self.labels, len(self.classes)
        rest = len(labels) % k
        if rest:
            labels[-rest:] = torch.randint(k, (rest,), generator=rng).to(self.device)
        return labels

    @property
    def padding(self) -> int:
        """Pixels an image may be shifted by in front of teacher and student."""
        return round(self.config.crop_share * self.image_shape[1])

    @property
    def flip(self) -> bool:
        """Whether images are mirrored at random: the config asks for it, and a mirrored image keeps its class."""
        return self.config.flip and self.mirror
