"""The stored numbers of one run of a comparison, and how they are collected from its events."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, ClassVar

import torch
from pydantic import ConfigDict, TypeAdapter

from nayer.common.files import read_file, write_whole
from nayer.earlier_versions import RENAMED_FIELDS, with_present_names
from nayer.errors import StorageError, excerpt
from nayer.events import (
    DiversityMeasured,
    Evaluated,
    EvaluatedAtStart,
    Event,
    GeneratorStep,
    ImagesTested,
    RoundFinished,
    RoundSynthesized,
    RunStarted,
    SecondOpinion,
    StudentAnswered,
    StudentStep,
)
from nayer.exports.metrics_table import Record
from nayer.text_rules import forbidden

MAX_OUTCOME_BYTES = 64 << 20
MOST_CLASSES, MOST_CHARACTERS = 1_000, 4_000  # in an outcome that is read; the characters are those of one text
LEVELS = (0.8, 0.9, 0.95, 0.98)  # of the teacher's accuracy
LATEST = 5  # diversities that are averaged
SCALES = ("within", "across", "pool")  # within a round, across rounds, over the pool
SIDES = ("samples", "noise", "real")

STEP_MEASURES = ("ce", "label_accuracy")  # after each step of the generator, mean over the rounds; `step` counts from 1

# The wall's, or the processor's time of this process: with one thread that is what a quiet machine's wall would say,
# and busy neighbors count for less.
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.monotonic, "cpu": time.process_time}

MEASURING = "measuring"  # not part of a run's seconds, for methods differ in how often they are measured
PHASES: dict[type[Event], str] = {
    GeneratorStep: "synthesis",
    RoundSynthesized: "synthesis",
    StudentStep: "student",  # with the images that are made for one step only, where nothing is kept of them
    DiversityMeasured: MEASURING,
    SecondOpinion: MEASURING,
    Evaluated: MEASURING,
    EvaluatedAtStart: MEASURING,
    ImagesTested: MEASURING,
    StudentAnswered: MEASURING,
}
OTHER = "other"


@dataclass
class Outcome:
    """The stored numbers of one arm with one seed. Seconds are the run's own, by `clock`."""

    # A newer version has more. Where a number is not finite, no table has a place for it.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    arm: str
    seed: int
    config: dict[str, Any]
    gigaflops: float  # rate of a matrix product, by the same clock, just before the run
    clock: str = "wall"  # one of CLOCKS
    threads: int = 0  # 0 if it is not recorded
    with_measuring: bool = True  # whether the seconds include the measuring, as in earlier versions
    curve: list[tuple[float, float]] = field(default_factory=list)  # seconds, accuracy (or agreement without tests)
    agreement: float | None = None  # with the teacher, at the end
    teacher_accuracy: float | None = None
    measured_on: str = ""
    classes: list[str] = field(default_factory=list)
    rounds: int = 0
    seconds: float = 0.0
    spent: dict[str, float] = field(default_factory=dict)  # seconds of each phase; measuring is extra
    generator_steps: int = 0
    diversity: dict[str, float | None] = field(default_factory=dict)  # mean over the latest measurements
    second_opinion: dict[str, float | None] = field(default_factory=dict)  # the same, if there is a judge
    failure: str = ""  # one sentence
    at_start: float | None = None  # the curve's value before the first step; None in earlier outcomes
    thinned: bool = False  # whether the student began with weights of its teacher
    machine: str = ""  # the processor or the GPU, and the number of cores
    by_step: dict[str, list[float]] = field(default_factory=dict)  # of the generator: see STEP_MEASURES
    fresh: list[float] = field(default_factory=list)  # accuracies of new students that learned from the final pool

    @property
    def accuracy(self) -> float | None:
        """The accuracy at the end of the budget, not the best one before. None for a run that failed before the end."""
        return self.curve[-1][1] if self.curve and not self.failure else None

    @property
    def test_accuracy(self) -> float | None:
        """Like `accuracy`, but None without labeled test images: `accuracy` is then the agreement with the teacher."""
        return None if self.measured_on == "held-back samples" else self.accuracy

    @property
    def synthesis_seconds(self) -> float | None:
        """Seconds of making images alone. None with `overlap`: the student learns in the same seconds."""
        return None if self.config.get("overlap") else self.spent.get("synthesis", 0.0)

    @property
    def wants_labels(self) -> bool:
        """Whether its generator gets the class to make. Otherwise the label of an image is like a random one."""
        return bool(self.config["ce_weight"]) and self.config["ce_target"] == "label"

    @property
    def scores(self) -> dict[str, float | None]:
        """The measured scores of its images."""
        return self.diversity | self.second_opinion

    def seconds_to(self, share: float) -> float | None:
        """Seconds until the student first had `share` of its teacher's accuracy; None if never, 0 if at the start."""
        if self.teacher_accuracy is None:
            return None
        wanted = share * self.teacher_accuracy
        return next((seconds for seconds, accuracy in self.curve if accuracy >= wanted), None)


class Observer:
    """Collects a run's events into its outcome."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.record = Record()
        self._latest: list[dict[str, float | None]] = []
        self._named: list[dict[str, float | None]] = []
        self._steps: dict[int, list[tuple[float, float]]] = {}  # by their number within a round

    def add(self, event: Event, seconds: float) -> None:
        """Adds an event. `seconds` of the run are over; the event's own seconds do not count."""
        outcome = self.outcome
        self.record.add(event)
        outcome.seconds = seconds
        match event:
            case RunStarted():
                outcome.classes = list(event.classes)
            case EvaluatedAtStart():
                self._add_point(event, 0.0)
                outcome.at_start = outcome.curve[0][1] if outcome.curve else None
                outcome.thinned = event.thinned
            case Evaluated():
                self._add_point(event, seconds)
            case GeneratorStep():
                outcome.generator_steps = max(outcome.generator_steps, event.round * event.steps + event.step + 1)
                if math.isfinite(event.ce):
                    self._steps.setdefault(event.step, []).append((event.ce, event.label_accuracy))
            case DiversityMeasured():
                self._latest = [*self._latest, numbers(event)][-LATEST:]
                outcome.diversity = {name: _mean([one[name] for one in self._latest]) for name in self._latest[-1]}
            case SecondOpinion():
                self._named = [*self._named, {"named": event.named_share, "judge_confidence": event.confidence_mean}]
                self._named = self._named[-LATEST:]
                outcome.second_opinion = {name: _mean([one[name] for one in self._named]) for name in self._named[-1]}
            case RoundFinished():
                outcome.rounds = event.round + 1

    def close(self) -> Outcome:
        """The outcome, with the means over all rounds."""
        steps = sorted(self._steps.items())
        if steps:
            self.outcome.by_step = {"step": [float(number + 1) for number, _ in steps]} | {
                name: [round(fmean(values[place] for values in found), 5) for _, found in steps]
                for place, name in enumerate(STEP_MEASURES)
            }
        return self.outcome

    def _add_point(self, event: Evaluated, seconds: float) -> None:
        outcome = self.outcome
        if event.reached is not None:
            outcome.curve.append((round(seconds, 3), round(event.reached, 5)))
        outcome.agreement = None if event.agreement is None else round(event.agreement, 5)
        outcome.teacher_accuracy, outcome.measured_on = event.teacher_accuracy, event.measured_on


def numbers(event: DiversityMeasured) -> dict[str, float | None]:
    """The main numbers of a diversity: samples, noise and real images at each scale, and the label accuracies."""
    within = event.samples.within
    made: dict[str, float | None] = {
        "label_accuracy": within.label_accuracy,
        "labels_kept": event.labels_kept,
        "duplicates": within.duplicate_share,
        "class_balance": within.teacher_entropy_share,
    }
    for side in SIDES:
        scales = getattr(event, side)
        means = (None,) * len(SCALES) if scales is None else scales.means
        made |= {f"{scale}.{side}": mean for scale, mean in zip(SCALES, means, strict=True)}
        made[f"rank.{side}"] = None if scales is None else scales.within.effective_rank
    return made


def matrix_rate(now: Callable[[], float] = time.monotonic, *, size: int = 1024, seconds: float = 0.3) -> float:
    """GFLOPS of float32 matrix products (size, size) on this machine now. Normalized seconds are scaled by it."""
    a = torch.rand(size, size, generator=torch.Generator().manual_seed(0))
    torch.mm(a, a)  # the first one allocates
    began, done = now(), 0
    while now() - began < seconds:
        torch.mm(a, a)
        done += 1
    return 2 * size**3 * done / (now() - began) / 1e9


def convolution_rate(now: Callable[[], float] = time.monotonic, *, seconds: float = 0.5) -> float:
    """GFLOPS of a 3 × 3 convolution, 32 → 32 channels, 100 images of 28 × 28, forward and backward, channels last.

    It is as large as the generator's convolution, so it is the best rate that training can reach.
    """
    layer = torch.nn.Conv2d(32, 32, 3, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.rand(100, 32, 28, 28).to(memory_format=torch.channels_last).requires_grad_()
    layer(images).sum().backward()
    began, done = now(), 0
    while now() - began < seconds:
        layer(images).sum().backward()
        done += 1
    return 3 * 2 * 100 * 28 * 28 * 32 * 32 * 9 * done / (now() - began) / 1e9


def write(outcome: Outcome, path: Path) -> None:
    """Writes the outcome whole or not at all. Raises StorageError."""
    write_whole(path, (json.dumps(asdict(outcome), indent=1) + "\n").encode())


def read(path: Path) -> Outcome:
    """The outcome that `write` wrote. Raises StorageError for a damaged file."""
    try:
        outcome = TypeAdapter(Outcome).validate_json(read_file(path, MAX_OUTCOME_BYTES), strict=True)
        outcome.by_step = with_present_names(outcome.by_step, RENAMED_FIELDS)
        outcome.diversity = with_present_names(outcome.diversity, RENAMED_FIELDS)
        if not _is_valid(outcome):
            raise ValueError("not what a run leaves")
        return outcome
    except (OSError, ValueError):
        raise StorageError(
            f"{excerpt(path, 300)} contains no outcome of this version; move it away and compare again."
        ) from None


def _is_valid(outcome: Outcome) -> bool:
    """Whether tables and figures can be made of it: no time is negative, and each step has all its measures."""
    texts = [outcome.arm, outcome.failure, outcome.machine, outcome.measured_on, *outcome.classes]
    lengths = [len(outcome.by_step.get(name, [])) for name in ("step", *STEP_MEASURES)]
    return (
        min([outcome.seconds, outcome.gigaflops, *outcome.spent.values(), *(point[0] for point in outcome.curve)])
        >= 0.0
        and len(set(lengths)) == 1
        and len(outcome.classes) <= MOST_CLASSES
        and all(len(text) <= MOST_CHARACTERS and not forbidden(text) for text in texts)
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return round(fmean(known), 4) if known else None
