"""One round of a run, rehearsed on networks that have no memory: the bytes and the multiply-adds of each of its steps.

The functions that really train run here too (`rehearsal`), so every new part of a round is counted.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from nayer.common.stopwatch import Stopwatch
from nayer.config import Config
from nayer.distillation.batch import Batch
from nayer.distillation.contrast import new_contrast
from nayer.distillation.evaluation import CHUNK, predict, predict_with_features
from nayer.distillation.image_pool import Pool
from nayer.distillation.redraw_preview import MAX_IMAGES, draw_strips
from nayer.distillation.report import Report
from nayer.distillation.state import HELD_BACK_CAPACITY, RunState, new_generator
from nayer.distillation.task import StepWork, Task
from nayer.distillation.train import distill, synthesize
from nayer.embeddings.label_table import table_width
from nayer.errors import AssetError, ConfigError, excerpt
from nayer.events import GeneratorStep
from nayer.networks.cards import TeacherCard, judge_folder, read_card, student_spec
from nayer.networks.classifiers import Classifier
from nayer.networks.specs import OWN, ModelSpec
from nayer.runs.rehearsal import META, Rehearsal

EXAMINED = 3  # students in `nayer.runs.opinions.examined`: before the first step, after a round, after the next one

# These settings change no tensor's size: one rehearsal is valid for all their values. Other settings may change a size.
_SIZELESS = (
    *("teacher", "student", "seed", "rounds", "seconds", "work", "device", "compiled", "evaluate_every", "test_data"),
    *("test_images", "encoder", "prompt", "noisy_reset_every", "generator_reset_every"),
    *("warmup_generator_reset_every", "generator_steps", "generator_init_std", "generator_beta1"),
    *("warmup_rounds", "keep_from_step", "pool_from_round", "pool_capacity", "held_back", "student_start"),
    *("student_every", "student_steps", "student_lr", "student_lr_end", "weight_decay", "temperature"),
    *("report_every", "event_every", "overlap"),
    "precision",  # bfloat16 needs fewer bytes than float32, and the count uses float32
)
_ANY = Config()


class HeldOptimizer(torch.optim.Optimizer):
    """The memory of an optimizer: gradients, and some tensors of each parameter's size. Its step adds no tensors."""

    def __init__(self, parameters: list[nn.Parameter], moments: int) -> None:
        super().__init__(parameters, {})
        for parameter in parameters:
            parameter.grad = torch.empty_like(parameter)
            self.state[parameter] = {number: torch.empty_like(parameter) for number in range(moments)}

        self.nbytes = moments * sum(parameter.nbytes for parameter in parameters)

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """A step in place, like a fused step."""


@dataclass
class RehearsedRound:
    """What a round with one step of each kind takes."""

    rehearsal: Rehearsal = field(default_factory=Rehearsal)
    kept: Counter[str] = field(default_factory=Counter)  # bytes, by setting
    passing: Counter[str] = field(default_factory=Counter)
    peaks: dict[str, tuple[int, int]] = field(default_factory=dict)  # passing bytes, small and large, by who works
    saved: Counter[str] = field(default_factory=Counter)  # the part of `kept` that a checkpoint holds
    steps: Counter[str] = field(default_factory=Counter)  # multiply-adds of a step, by who learns
    features: int = 0  # number of features that the teacher has for an image

    def most(self, *, overlap: bool) -> tuple[int, int]:
        """The most passing bytes at any time, in small and in large tensors. With `overlap`, two work together."""
        both = [sum(pair) for pair in zip(self.peaks["generator"], self.peaks["student"], strict=True)]
        small, large = (max(kind) for kind in zip(*self.peaks.values(), strict=True))
        return (max(small, both[0]), max(large, both[1])) if overlap else (small, large)

    def step_work(self, config: Config) -> StepWork:
        """The multiply-adds of a step. While the student does not learn, the generator does not ask it either."""
        asked = 2 * self.steps["judging"] * config.synthesis_batch // CHUNK if config.adversarial_weight else 0
        generator = self.steps["generator"]
        return StepWork(warmup=max(1, generator - asked), generator=generator, student=self.steps["student"])

    @contextmanager
    def keeping(self, name: str) -> Iterator[None]:
        """Counts memory that is allocated inside and stays as kept, caused by the setting `name`."""
        before = self.rehearsal.live
        yield
        self.kept[name] += self.rehearsal.live - before

    @contextmanager
    def passing_by(self, name: str, who: str = "") -> Iterator[None]:
        """Counts the largest additional memory inside as passing, caused by the setting `name`."""
        before, work = self.rehearsal.live, self.rehearsal.work
        self.rehearsal.mark()
        yield
        small, large = self.peaks.get(who, (0, 0))
        self.peaks[who] = max(small, self.rehearsal.peaks[0]), max(large, self.rehearsal.peaks[1])
        self.passing[name] = max(self.passing[name], self.rehearsal.peak - before)
        self.steps[who] += self.rehearsal.work - work


def rehearsed(
    config: Config,
    card: TeacherCard,
    teacher: nn.Module | None,
    judge: ModelSpec | None = None,
    learner: nn.Module | None = None,
) -> RehearsedRound:
    """The round of a run of `config` with the teacher of `card`, from a cache or in 0.1 to 0.3 s.

    `teacher`: the network, for a card that cannot build it. `learner`: the student, if the config does not name it.
    Both are copied and do not change. `judge`: the judge that comes with the teacher; otherwise the card's judge or the
    shipped judge of its data set, if any. Raises ConfigError for settings that make a round impossible.
    """
    alike = config.model_copy(update={name: getattr(_ANY, name) for name in _SIZELESS})
    if card.model.architecture != OWN:
        teacher = None
    student, width = student_spec(card, config.student), table_width(config.latent, config.encoder, len(card.classes))
    # The cached values keep no network in memory.
    rehearse = _rehearsed if teacher is None and learner is None else _rehearsed.__wrapped__
    try:
        judge = judge or card.judge or _shipped_judge(card)
        return rehearse(alike, card.model, student, card.classes, card.mirror, width, teacher, judge, learner)
    except NotImplementedError:  # a RuntimeError too, of operations that meta tensors lack
        raise
    except (ValueError, RuntimeError) as error:  # such as a BatchNorm of one number
        words = excerpt(" ".join(str(error).split()), 120)
        raise ConfigError(
            f"student={student.architecture}, student_batch={config.student_batch} and the other settings cannot run "
            f"together ({words}); use another network or larger batches."
        ) from None


def step_work_of(
    config: Config, card: TeacherCard, teacher: nn.Module | None = None, student: nn.Module | None = None
) -> StepWork:
    """The multiply-adds of a step of each kind; arguments, time and errors are `rehearsed`'s, `student` its learner."""
    return rehearsed(config, card, teacher, learner=student).step_work(config)


@lru_cache(maxsize=256)
def _rehearsed(
    config: Config,
    model: ModelSpec,
    student: ModelSpec,
    classes: tuple[str, ...],
    mirror: bool,
    width: int,
    given: nn.Module | None,
    judge: ModelSpec | None,
    taught: nn.Module | None = None,
) -> RehearsedRound:
    """One round of a run on the meta device, after a warm-up, with the data that earlier rounds keep in memory."""
    seen, shape, rng = RehearsedRound(), (model.channels, model.size, model.size), torch.Generator()
    with seen.rehearsal:
        with torch.device(META):
            with seen.keeping("teacher"):
                teacher = _bare(given) if given is not None else channels_last(Classifier(model))
                teacher.eval().requires_grad_(False)
                second = None if judge is None else channels_last(Classifier(judge)).eval().requires_grad_(False)
            with seen.keeping("student"):
                learner = _bare(taught) if taught is not None else channels_last(Classifier(student))
                adam = config.student_optimizer == "adam"
                optimizer = HeldOptimizer(list(learner.parameters()), 2 if adam else 1)
            table = torch.empty(len(classes), width)
            task = Task(config, teacher, classes, table, shape, mirror, META)
            with seen.keeping("generator_width"):
                generator = new_generator(task)
                trained = list(generator.parameters())
                # Two moments each. FOMAML trains a copy with its own gradients, and moves the start with two more.
                learning = trained if config.generator_lr else []
                if not config.generator_width and config.z_lr:
                    learning = [nn.Parameter(torch.empty(config.synthesis_batch, math.prod(shape)))]
                generator_adam = HeldOptimizer(learning, 2) if learning else None
                meta_adam = HeldOptimizer(trained, 4) if config.meta_lr else None
            with seen.keeping("bank_capacity"):
                contrast = new_contrast(task, learner, rng) if config.contrastive_weight else None
            weights = [] if contrast is None else list(contrast.parameters())
            contrast_adam = HeldOptimizer(weights, 2) if weights else None
        state = RunState(
            generator=generator,
            student=learner,
            optimizer=optimizer,
            pool=Pool(config.student_batch, shape, META),
            held_back=Pool(HELD_BACK_CAPACITY, shape, META),
            rng=rng,
            meta_adam=meta_adam,  # type: ignore[arg-type]  # all that is asked of it is a step
            contrast=contrast,
            contrast_adam=contrast_adam,  # type: ignore[arg-type]
            generator_adam=generator_adam,  # type: ignore[arg-type]
        )
        moments = 2 * (bool(config.meta_lr) + (config.generator_adam == "kept"))
        of_generator = sum(parameter.nbytes for parameter in trained)
        noisy = 0 if generator.noisy is None else _bytes(generator.noisy)
        seen.saved["student"] = _bytes(learner) + optimizer.nbytes
        seen.saved["noisy_width"] = (1 + moments) * noisy
        seen.saved["generator_width"] = (1 + moments) * (of_generator - noisy)
        seen.saved["bank_capacity"] = 0 if contrast is None else _bytes(contrast)
        seen.kept["noisy_width"] = round(noisy / max(1, of_generator) * seen.kept["generator_width"])
        seen.kept["generator_width"] -= seen.kept["noisy_width"]
        seen.kept["teacher"] += _bytes(teacher)
        seen.kept["student"] += EXAMINED * _bytes(learner)
        _play(task, state, seen)
        if second is not None:
            few = torch.empty((CHUNK, *shape), dtype=torch.uint8, device=META)
            with seen.passing_by("teacher", "second opinion"):
                predict_with_features(second, few)
    return seen


def _shipped_judge(card: TeacherCard) -> ModelSpec | None:
    folder = judge_folder(card)
    try:
        return None if folder is None else read_card(folder, "judge").model
    except AssetError:  # a run continues without a judge
        return None


def _play(task: Task, state: RunState, seen: RehearsedRound) -> None:
    """Runs a step of each kind, and the questions to a run between two steps."""
    config = task.config.model_copy(update={"generator_steps": 1, "student_steps": 1, "warmup_rounds": 0})
    task = Task(config, task.teacher, task.classes, task.table, task.image_shape, task.mirror, META)
    report = Report(task, state, Stopwatch())
    with seen.keeping("synthesis_batch"), seen.passing_by("synthesis_batch", "generator"):
        before = [torch.empty(config.synthesis_batch, *task.image_shape, device=META) for _ in range(2)]
        made = _returned(synthesize(task, state, report))
        del before  # the data of the previous step: its images, and the kept images
    state.pool.add(made.images, made.labels)
    with seen.keeping("student_batch"), seen.passing_by("student_batch", "student"):
        for _ in distill(task, state, made, report):
            pass
    few = torch.empty((CHUNK, *task.image_shape), dtype=torch.uint8, device=META)
    with seen.passing_by("teacher", "looking"):
        seen.features = predict_with_features(task.teacher, few).features.shape[1]
    with seen.passing_by("student", "judging"):
        predict(state.student, few)
    with seen.passing_by("strip"):
        draw_strips(task, state.generator, 0, MAX_IMAGES, seed=0)
    noisy = state.generator.noisy  # the larger part: the drawn layers, or the inputs of the images
    layers = 0 if noisy is None else 3 * MAX_IMAGES * noisy.weight[0].nbytes
    strip = seen.passing.pop("strip")
    seen.passing["noisy_width" if 2 * layers > strip else "generator_width"] = strip


def _returned(steps: Generator[GeneratorStep, None, Batch]) -> Batch:
    """The return value of a generator after its last event."""
    try:
        while True:
            next(steps)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]


def _bare(network: nn.Module) -> nn.Module:
    """A copy without memory."""
    return copy.deepcopy(network).to(META)


def channels_last(network: Classifier) -> Classifier:
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _bytes(module: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))
