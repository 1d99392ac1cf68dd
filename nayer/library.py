"""For other programs: makes a run from a classifier in memory (for example in a notebook) or from a named teacher."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from nayer.config import Config
from nayer.networks.external import OwnNetwork, tried
from nayer.presets import get
from nayer.runs.run import Run, open_run
from nayer.teachers.from_module import STUDENT
from nayer.teachers.from_module import own_teacher as own_teacher


def own_run(
    network: nn.Module,
    classes: Sequence[str],
    *,
    size: int,
    mean: Sequence[float],
    std: Sequence[float],
    student: str | nn.Module = STUDENT,
    mirror: bool = True,
    resize_to: int | None = None,
    preset: str = "nayer",
    **settings: object,
) -> Run:
    """A run that distils `network`: iterate over `run.events()`, then take `run.student`.

    The arguments are those of `own_teacher`. `settings` are fields of `Config`; they replace values of `preset`.
    `student` is a module or the name of an architecture. A module is trained in place; its images are normalized like
    the teacher's.
    """
    named = student if isinstance(student, str) else STUDENT
    teacher = own_teacher(
        network, classes, size=size, mean=mean, std=std, student=named, mirror=mirror, resize_to=resize_to
    )
    config = Config.parse({"teacher": teacher.card.name, **settings}, base=get(preset).config)
    if isinstance(student, str):
        return open_run(config, teacher=teacher)
    spec = teacher.card.model
    learner = tried(OwnNetwork(student, spec.mean, spec.std), spec.classes, spec.channels, size)
    return open_run(config, teacher=teacher, student=learner.train().requires_grad_(True))


def named_run(teacher: str, *, preset: str = "nayer", **settings: object) -> Run:
    """A run whose teacher is shipped, is in a folder, or is on the Hub as `owner/name`; see `teachers.find`.

    `settings` are fields of `Config`; they replace values of `preset`. Raises NayerError in one sentence.
    """
    return open_run(Config.parse({"teacher": teacher, **settings}, base=get(preset).config))
