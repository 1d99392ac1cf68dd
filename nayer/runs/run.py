"""Makes a run from a config: finds the teacher, the label table and the test images, and puts them together.

Only this module combines training and test images. The test images enter the run as a closed evaluator.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from nayer.common.stopwatch import Stopwatch
from nayer.config import Config, settings
from nayer.data.test_sets import TestSet, load_testset
from nayer.distillation.evaluation import SecondNetwork, TestImages, spread
from nayer.distillation.redraw_preview import Redraws, redraws
from nayer.distillation.state import RunState, new_state
from nayer.distillation.task import StepWork, Task
from nayer.distillation.train import train
from nayer.embeddings.label_table import Table, label_table
from nayer.errors import EncoderError
from nayer.events import Event
from nayer.networks.cards import TeacherCard, student_spec
from nayer.networks.classifiers import build
from nayer.networks.execution import device as named_device
from nayer.networks.external import OwnNetwork
from nayer.runs import checkpoints
from nayer.runs.rehearsed_round import step_work_of
from nayer.teachers.find import find_teacher
from nayer.teachers.load import Teacher


@dataclass
class Run:
    """A run that is ready to start. `state` holds the student and everything else that the run changes."""

    card: TeacherCard
    table: Table
    task: Task
    state: RunState
    revised: Task | None = None  # the task from the next round on, if the config was changed
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def student(self) -> nn.Module:
        """The network that is trained."""
        return self.state.student

    def events(self, watch: Stopwatch | None = None) -> Iterator[Event]:
        """The events from the present state on, timed by `watch` or by a new stopwatch; see `distillation.train`."""
        watch = watch or Stopwatch(self.state.seconds, stopped=self.stopped.is_set)
        return train(self.task, self.state, watch, revised=self._revise)

    def stop(self) -> None:
        """Ends the events with Stopped after the current step. Any thread may call it."""
        self.stopped.set()

    def change(self, values: Mapping[str, object]) -> Config:
        """Uses `values` from the next round on and returns the new config. Call it between events.

        Raises ConfigError for values that do not work or cannot change during a run. Raises EncoderError if a table
        cannot be made. After an error the run continues without a change.
        """
        task = self.revised or self.task
        config = task.config.changed(values)
        table = _table(self.card, config)
        own = self.student if isinstance(self.student, OwnNetwork) else None
        self.revised = replace(
            task,
            config=config,
            table=torch.from_numpy(table.embeddings).to(task.device),
            step_work=_step_work(config, self.card, task.teacher, own),
        )
        return config

    def redraws(self, label: int, count: int) -> Redraws:
        """One label through `count` newly drawn noisy layers; see `redraw_preview`. Call it between events."""
        return redraws(self.task, self.state.generator, label, count, seed=self.state.round)

    def _revise(self) -> Task | None:
        revised, self.revised = self.revised, None
        if revised is None or revised.config == self.task.config:
            return None
        self.task = revised
        return revised

    def save(self, folder: Path) -> Path:
        """Writes a checkpoint into `folder`, at the end of a round; see `checkpoints.save`."""
        return checkpoints.save(self.task.config, self.state, folder, self.card.sha256)


def open_run(
    config: Config,
    beside: Run | None = None,
    *,
    teacher: Teacher | None = None,
    student: nn.Module | None = None,
    testset: TestSet | None = None,
) -> Run:
    """Loads everything `config` names. Raises NayerError in one sentence before any training starts.

    `beside` is a run in the same thread. Both runs share teacher and test images if their configs name the same ones.
    `teacher`, `student` and `testset` replace those that the config names. The student is trained in place. The test
    images serve measurements only.
    """
    inputs = [one.name for one in settings() if one.decides_inputs]
    if beside and all(getattr(config, name) == getattr(beside.task.config, name) for name in inputs):
        card, shared = beside.card, beside.task
    else:
        card, shared = _opened(config, teacher or find_teacher(config.teacher), testset)
    device = shared.device
    table = _table(card, config)
    task = replace(
        shared,
        config=config,
        table=torch.from_numpy(table.embeddings).to(device),
        step_work=_step_work(config, card, shared.teacher, student),
    )
    rng = torch.Generator().manual_seed(config.seed)
    student = new_student(card, task, rng) if student is None else _on_device(student, device)
    return Run(card, table, task, new_state(task, student, rng))


def new_student(card: TeacherCard, task: Task, rng: torch.Generator) -> nn.Module:
    """The student that the task's config names, with weights from `rng`, on the task's device."""
    return _on_device(build(student_spec(card, task.config.student), rng), task.device)


def _opened(config: Config, teacher: Teacher, testset: TestSet | None) -> tuple[TeacherCard, Task]:
    """The card and the task. The task has the teacher and its evaluator, but no label table yet."""
    device = named_device(config.device)
    card = teacher.card
    evaluator = _evaluator(config, teacher, testset or load_testset(teacher.card, config.test_data), device)
    return card, Task(
        config=config,
        teacher=_on_device(teacher.network, device),
        classes=card.classes,
        table=torch.eye(len(card.classes), device=device),
        image_shape=(card.model.channels, card.model.size, card.model.size),
        mirror=card.mirror,
        device=device,
        evaluator=evaluator,
        real=None if evaluator is None else lambda: evaluator.seen,
        judge=None if teacher.judge is None else SecondNetwork(_on_device(teacher.judge.network, device)),
        judge_fault=teacher.judge_fault,
    )


def _step_work(
    config: Config, card: TeacherCard, teacher: nn.Module, student: nn.Module | None = None
) -> StepWork | None:
    """The work of a step, counted only if the config limits the work, because the count takes up to 0.3 s."""
    return step_work_of(config, card, teacher, student) if config.work else None


def _table(card: TeacherCard, config: Config) -> Table:
    """The table for the noisy layer. A generator of noise alone uses none: its map shows the meaning of the names."""
    names, encoder, prompt, seed = card.classes, config.encoder, config.prompt, config.seed
    if config.latent != "none":
        return label_table(names, config.latent, encoder=encoder, prompt=prompt, seed=seed)
    try:
        return label_table(names, "lte", encoder=encoder, prompt=prompt, seed=seed)
    except EncoderError:
        return label_table(names, "one-hot", encoder=encoder, prompt=prompt, seed=seed)


def _on_device(network: nn.Module, device: torch.device) -> nn.Module:
    """The network on `device`, channels last: pooling and convolutions are then about 1.5 times as fast.

    A network that was not built here keeps its layout: its forward may reshape and expect channels first.
    """
    if isinstance(network, OwnNetwork):
        return network.to(device)
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _evaluator(config: Config, teacher: Teacher, testset: TestSet | None, device: torch.device) -> TestImages | None:
    if testset is None:
        return None
    picks = spread(len(testset.labels), config.test_images)
    images, labels = torch.from_numpy(testset.images)[picks], torch.from_numpy(testset.labels)[picks]
    return TestImages(teacher.network, images.to(device), labels.to(device))
