"""Counts the needs of a run before it begins: its bytes at one time, and the work of a round.

It rehearses one round with networks that have no memory (`rehearsal`), so it counts the functions that really train.
Arithmetic adds the data that grows over rounds. `python -m tests.reliability 18` compares the sum with resident memory.
"""

from __future__ import annotations

import copy
import math
import os
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
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
from nayer.networks import noisy_layer
from nayer.networks.cards import TeacherCard, judge_folder, read_card, student_spec, teacher_cards
from nayer.networks.classifiers import Classifier
from nayer.networks.specs import OWN, ModelSpec
from nayer.runs.rehearsal import META, Rehearsal

CORES = os.cpu_count() or 1
FASTEST = 1e11  # the most multiply-adds of a core in a second: 32 in a cycle (AVX-512) at 3 GHz
TESTS = 10_000  # images of the largest shipped test split; a visitor brings at most 5,000
REMEMBERED = 4_000  # images whose features the diversity meter keeps or copies at one time: two windows of 1,000, twice
_LABEL = 8  # bytes
EXAMINED = 3  # students in `nayer.runs.opinions.examined`: before the first step, after a round, after the next one
BESIDE = 48 << 20  # bytes of a run that depend on no setting: its history, its views, the buffers of the library
RESIDENT = (
    1.1  # resident bytes for each counted byte, measured by tests/slow/test_memory.py: gaps, and convolution workspace
)
SCATTERED = 1.2  # likewise on top, for small tensors that come and go: wrn40-3, all of whose maps are, takes 1.16
CHECKPOINT = 3  # copies of a run's state while a checkpoint is made: its tensors, their bytes, the whole file

# These settings change no tensor's size: one rehearsal is valid for all their values. Other settings may change a size.
_SIZELESS = (
    *("teacher", "student", "seed", "rounds", "seconds", "work", "device", "compiled", "evaluate_every", "test_data"),
    *("test_images", "encoder", "prompt", "noisy_reset_every", "generator_reset_every"),
    *("warmup_generator_reset_every", "generator_steps", "generator_init_std", "generator_beta1"),
    *("warmup_rounds", "keep_from_step", "pool_from_round", "pool_capacity", "held_back", "student_start"),
    *("student_every", "student_steps", "student_lr", "student_lr_end", "weight_decay", "temperature"),
    *(
        "report_every",
        "event_every",
        "overlap",
        "precision",
    ),  # bfloat16 needs fewer bytes than float32, and the count uses float32
)


@dataclass(frozen=True)
class Use:
    """Bytes, by the setting that causes them."""

    kept: Counter[str]  # between two steps, late in the run
    passing: Counter[str]  # additional bytes, each for a moment, one after the other
    moment: int  # resident bytes in addition to `kept`: the allocator keeps the memory of freed small tensors
    work: int  # multiply-adds of a round in which generator and student learn and the student is measured

    @property
    def largest(self) -> tuple[str, int]:
        """The setting that causes the most bytes, and these bytes."""
        return (self.kept + Counter(dict(self.passing.most_common(1)))).most_common(1)[0]


def resident(uses: Sequence[Use]) -> int:
    """Bytes of runs that take turns in one thread, like the arms of a lab: all kept bytes, and the largest moment."""
    kept = sum(sum(use.kept.values()) for use in uses)
    return round(RESIDENT * (kept + max(use.moment for use in uses))) + BESIDE * len(uses)


def use_of(config: Config, card: TeacherCard, teacher: nn.Module | None = None, judge: ModelSpec | None = None) -> Use:
    """The needs of a run of `config` with the teacher of `card`.

    `teacher`: the network, for a card that cannot build it. It is copied and does not change. `judge`: the judge that
    comes with the teacher; otherwise the card's judge or the shipped judge of its data set, if any. New sizes take 0.1
    to 0.3 s. They take no memory, even if they are large. Raises ConfigError for settings that make a round impossible.
    """
    return _over_rounds(config, card, _seen(config, card, teacher, judge))


def step_work_of(
    config: Config, card: TeacherCard, teacher: nn.Module | None = None, student: nn.Module | None = None
) -> StepWork:
    """The multiply-adds of a step of each kind; arguments, time and errors are `use_of`'s.

    `student`: the network, if the config does not name it. It is copied and does not change.
    """
    return _step_work(config, _seen(config, card, teacher, learner=student))


def _seen(
    config: Config,
    card: TeacherCard,
    teacher: nn.Module | None,
    judge: ModelSpec | None = None,
    learner: nn.Module | None = None,
) -> _Seen:
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


def warm_up() -> None:
    """Does early what would delay the first question: torch imports more modules at the first rehearsal."""
    card = teacher_cards()[0]
    use_of(Config(teacher=card.name), card)


_ANY = Config()


class _Held(torch.optim.Optimizer):
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
class _Seen:
    """A round with one step of each kind."""

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
) -> _Seen:
    """One round of a run on the meta device, after a warm-up, with the data that earlier rounds keep in memory."""
    seen, shape, rng = _Seen(), (model.channels, model.size, model.size), torch.Generator()
    with seen.rehearsal:
        with torch.device(META):
            with seen.keeping("teacher"):
                teacher = _bare(given) if given is not None else _innermost(Classifier(model))
                teacher.eval().requires_grad_(False)
                second = None if judge is None else _innermost(Classifier(judge)).eval().requires_grad_(False)
            with seen.keeping("student"):
                learner = _bare(taught) if taught is not None else _innermost(Classifier(student))
                adam = config.student_optimizer == "adam"
                optimizer = _Held(list(learner.parameters()), 2 if adam else 1)
            table = torch.empty(len(classes), width)
            task = Task(config, teacher, classes, table, shape, mirror, META)
            with seen.keeping("generator_width"):
                generator = new_generator(task)
                trained = list(generator.parameters())
                # Two moments each. FOMAML trains a copy with its own gradients, and moves the start with two more.
                learning = trained if config.generator_lr else []
                if not config.generator_width and config.z_lr:
                    learning = [nn.Parameter(torch.empty(config.synthesis_batch, math.prod(shape)))]
                generator_adam = _Held(learning, 2) if learning else None
                meta_adam = _Held(trained, 4) if config.meta_lr else None
            with seen.keeping("bank_capacity"):
                contrast = new_contrast(task, learner, rng) if config.contrastive_weight else None
            weights = [] if contrast is None else list(contrast.parameters())
            contrast_adam = _Held(weights, 2) if weights else None
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


def _play(task: Task, state: RunState, seen: _Seen) -> None:
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


def _over_rounds(config: Config, card: TeacherCard, seen: _Seen) -> Use:
    """The memory of one round, and the memory that all rounds of the run keep."""
    image = card.model.channels * card.model.size**2  # bytes
    kept, passing, saved = seen.kept.copy(), seen.passing.copy(), seen.saved.copy()
    every = config.generator_steps - config.keep_from_step if config.keep == "all" else 1  # batches kept of a round
    batches = max(0, every) * config.synthesis_batch * image
    passing["synthesis_batch"] += batches
    if config.overlap:
        kept["student"] += saved["student"]  # the generator's opponent is a copy
        for name in ("synthesis_batch", "student_batch"):
            passing[name] = seen.passing["synthesis_batch"] + batches + seen.passing["student_batch"]
    pooled = 0 if config.memory == "online" else max(0, every) * config.synthesis_batch * _rounds(config, seen)
    filled = min(config.pool_capacity, pooled)
    saved["pool_capacity"] = filled * (image + _LABEL)
    kept["pool_capacity"] = min(config.pool_capacity, 2 * filled) * (image + _LABEL)  # it grows by doubling
    passing["pool_capacity"] = kept["pool_capacity"] + batches  # the former and the new room
    kept["held_back"] = HELD_BACK_CAPACITY * (image + _LABEL)
    tests = _tests(config)
    kept["test_images"] = tests * (image + _LABEL + 4 * seen.features)
    passing["test_images"] = 3 * max(TESTS, tests) * image  # the whole split, as it is read
    kept["teacher"] += 4 * seen.features * REMEMBERED
    kept += saved  # the latest checkpoint, while it is written to the disk
    largest = saved.most_common(1)[0][0]
    checkpoint = (CHECKPOINT - 1) * sum(saved.values())
    passing[largest] = max(passing[largest], checkpoint)
    small, large = seen.most(overlap=config.overlap)
    large = max(large + batches, passing["pool_capacity"], passing["test_images"], checkpoint)
    return Use(kept, passing, round(SCATTERED * small) + large, _work(config, seen))


def _work(config: Config, seen: _Seen) -> int:
    """The work of a round in which generator and student learn, with a measurement.

    A measurement has no steps to stop at. The first measurement asks the teacher, too.
    """
    step = _step_work(config, seen)
    chunks = -(-max(_tests(config), HELD_BACK_CAPACITY) // CHUNK)
    measuring = chunks * (seen.steps["judging"] + seen.steps["looking"])
    named = seen.steps["second opinion"] * config.synthesis_batch // CHUNK // config.report_every
    return config.generator_steps * step.generator + config.student_steps * step.student + measuring + named


def _tests(config: Config) -> int:
    """The largest number of test images."""
    return config.test_images if config.test_data else min(TESTS, config.test_images)


def _step_work(config: Config, seen: _Seen) -> StepWork:
    """The work of a rehearsed step. While the student does not learn, the generator does not ask it either."""
    asked = 2 * seen.steps["judging"] * config.synthesis_batch // CHUNK if config.adversarial_weight else 0
    generator = seen.steps["generator"]
    return StepWork(warmup=max(1, generator - asked), generator=generator, student=seen.steps["student"])


def _rounds(config: Config, seen: _Seen) -> int:
    """The most rounds that fit into the run, into its work, and into its seconds on the fastest machine."""
    if not config.seconds and not config.work:
        return config.rounds
    step = _step_work(config, seen)
    warming = config.generator_steps * step.warmup
    learning = config.generator_steps * step.generator + config.student_steps * step.student // config.student_every
    left = min(config.seconds * CORES * FASTEST or math.inf, config.work * 1e9 or math.inf)
    warm = min(config.warmup_rounds, int(left / warming) + 1)
    return min(config.rounds, warm + int(max(0.0, left - warm * warming) / learning) + 1)


def check_memory(
    runs: Sequence[tuple[Config, TeacherCard]],
    limit: float,
    whose: str,
    teacher: nn.Module | None = None,
    judge: ModelSpec | None = None,
) -> None:
    """Raises ConfigError, in one sentence, if `runs` that take turns need more than `limit` bytes.

    The sentence names the setting that causes the most bytes, and a value that works. `whose`: words for the limit,
    such as "this machine can spare".
    """
    uses = [use_of(config, card, teacher, judge) for config, card in runs]
    needed = resident(uses)
    if needed <= limit:
        return
    place = max(range(len(uses)), key=lambda number: uses[number].largest[1])
    (name, part), (config, card) = uses[place].largest, runs[place]
    value = _value(name, config, card)
    need = (
        f"this run takes {_in_words(needed)}" if len(runs) == 1 else f"these {len(runs)} runs take {_in_words(needed)}"
    )
    raise ConfigError(
        f"{name}={value} needs too much memory: {need}, of which this setting takes {_in_words(RESIDENT * part)}, and "
        f"{whose} {_in_words(limit)}; use "
        f"{_advice(name, value, 1.0 - (needed - limit) / RESIDENT / part, len(card.classes))}."
    )


def check_training(spec: ModelSpec, batch: int, images: int, limit: float, whose: str) -> None:
    """Raises ConfigError if a network of `spec` cannot learn from batches of labeled images, `images` bytes in all."""
    rehearsal = Rehearsal()
    with rehearsal:
        with torch.device(META):
            network = _innermost(Classifier(spec))
            _Held(list(network.parameters()), 1)
            seen = torch.empty(batch, spec.channels, spec.size, spec.size)
        network(seen).sum().backward()
    needed = RESIDENT * rehearsal.peak + images + BESIDE
    if needed > limit:
        raise ConfigError(
            f"model={spec.architecture} needs too much memory: batches of {batch} images of {spec.size} × {spec.size} "
            f"take {_in_words(needed)}, and {whose} {_in_words(limit)}; use a smaller network."
        )


def _value(name: str, config: Config, card: TeacherCard) -> str | int:
    """The value for the sentence. An automatic value appears as the chosen value."""
    if name == "teacher":
        return f"{config.teacher[:60]} ({card.model.architecture})"
    if name == "student":
        return student_spec(card, config.student).architecture
    if name == "noisy_width":
        return noisy_layer.outputs(config.noisy_width, len(card.classes))
    value: int = getattr(config, name)
    return value


_WIDER = {  # other settings that make the same data smaller
    "synthesis_batch": "or narrower networks (generator_width, student)",
    "student_batch": "or a narrower student",
    "noisy_width": "or fewer layers (routing=k-to-1, a smaller synthesis_batch)",
}


def _advice(name: str, value: str | int, share: float, classes: int) -> str:
    """`share` is the part of the value that remains. If only the value causes the bytes, the advice has a bound."""
    if isinstance(value, str):
        return "a smaller network"
    least = classes if name == "synthesis_batch" else 1
    words = f"at most {int(value * share):,}" if value * share >= least else "a smaller one"
    return f"{words}, {_WIDER[name]}" if name in _WIDER else words


def _in_words(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"


def _bare(network: nn.Module) -> nn.Module:
    """A copy without memory."""
    return copy.deepcopy(network).to(META)


def _innermost(network: Classifier) -> Classifier:
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _bytes(module: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))
