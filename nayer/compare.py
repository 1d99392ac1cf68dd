"""One run of a comparison, from its config to the numbers that are kept of it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from nayer.arms import Arm
from nayer.config import Config
from nayer.errors import NayerError, StorageError
from nayer.events import DiversityMeasured, Evaluated, Event, GeneratorStep, RoundFinished, RunFailed, RunStarted
from nayer.experiment import open_run
from nayer.files import write_whole
from nayer.record import Record

LEVELS = (0.8, 0.9, 0.95)  # of the teacher's accuracy
LATEST = 5  # diversities that are averaged
SCALES = ("within", "across", "pool")  # within a round, across rounds, over the pool
SIDES = ("samples", "noise", "real")
# The wall's, or the processor's time of this process: with one thread that is what a quiet machine's wall would say,
# and busy neighbours count for less.
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.monotonic, "cpu": time.process_time}


@dataclass
class Outcome:
    """What is kept of one arm with one seed. Seconds are the run's own, with all it does: making images, teaching,
    and measuring the student and the images."""

    arm: str
    seed: int
    config: dict[str, Any]
    gigaflops: float  # of a matrix product, measured right before
    clock: str = "wall"  # whose seconds
    curve: list[tuple[float, float]] = field(default_factory=list)  # seconds, accuracy (or agreement without tests)
    teacher_accuracy: float | None = None
    measured_on: str = ""
    classes: list[str] = field(default_factory=list)
    rounds: int = 0
    seconds: float = 0.0
    generator_steps: int = 0
    diversity: dict[str, float | None] = field(default_factory=dict)  # mean over the latest that were measured
    failure: str = ""  # one sentence

    @property
    def accuracy(self) -> float | None:
        """At the end of the budget, never the best on the way."""
        return self.curve[-1][1] if self.curve else None

    def seconds_to(self, share: float) -> float | None:
        """Until the student first had `share` of its teacher's accuracy; None if it never had."""
        if self.teacher_accuracy is None:
            return None
        wanted = share * self.teacher_accuracy
        return next((seconds for seconds, accuracy in self.curve if accuracy >= wanted), None)


class Observer:
    """Folds a run's events into its outcome."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.record = Record()
        self._latest: list[dict[str, float | None]] = []

    def add(self, event: Event) -> None:
        outcome = self.outcome
        self.record.add(event)
        outcome.seconds = max(outcome.seconds, event.seconds)
        match event:
            case RunStarted():
                outcome.classes = list(event.classes)
            case Evaluated():
                reached = event.agreement if event.accuracy is None else event.accuracy
                if reached is not None:
                    outcome.curve.append((round(event.seconds, 3), round(reached, 5)))
                outcome.teacher_accuracy, outcome.measured_on = event.teacher_accuracy, event.measured_on
            case GeneratorStep():
                outcome.generator_steps = max(outcome.generator_steps, event.round * event.steps + event.step + 1)
            case DiversityMeasured():
                self._latest = [*self._latest, numbers(event)][-LATEST:]
                outcome.diversity = {name: _mean([one[name] for one in self._latest]) for name in self._latest[-1]}
            case RoundFinished():
                outcome.rounds = event.round + 1
            case RunFailed():
                outcome.failure = event.message


def numbers(event: DiversityMeasured) -> dict[str, float | None]:
    """The headline of a diversity: at each scale samples, noise and real images, and beside them the label hits."""
    made: dict[str, float | None] = {
        "label_hit": event.samples.within.label_hit,
        "labels_kept": event.labels_kept,
        "duplicates": event.samples.within.duplicate_share,
    }
    for side in SIDES:
        scales = getattr(event, side)
        made[f"within.{side}"] = None if scales is None else scales.within.vendi_mean
        made[f"across.{side}"] = None if scales is None or scales.across is None else scales.across.nearest_mean
        made[f"pool.{side}"] = None if scales is None or scales.pool is None else scales.pool.vendi_mean
    return made


def observed(arm: Arm, seed: int, clock: str = "wall") -> tuple[Outcome, Record]:
    """Runs one arm with one seed to its end, by one of CLOCKS.

    A run that fails is an outcome too, with what it had until then.
    """
    config = Config.parse({"seed": seed}, arm.config)
    observer = Observer(Outcome(arm.title, seed, config.model_dump(), round(matrix_rate(CLOCKS[clock]), 1), clock))
    try:
        for event in open_run(config).events(CLOCKS[clock]):
            observer.add(event)
    except NayerError as error:
        observer.outcome.failure = str(error)
    return observer.outcome, observer.record


def matrix_rate(now: Callable[[], float] = time.monotonic, size: int = 1024, seconds: float = 0.3) -> float:
    """GFLOPS of float32 matrix products (size, size) here and now: what normalised seconds are scaled by."""
    a = torch.rand(size, size, generator=torch.Generator().manual_seed(0))
    torch.mm(a, a)  # the first one allocates
    began, done = now(), 0
    while now() - began < seconds:
        torch.mm(a, a)
        done += 1
    return 2 * size**3 * done / (now() - began) / 1e9


def write(outcome: Outcome, path: Path) -> None:
    """Whole or not at all. Raises StorageError."""
    write_whole(path, (json.dumps(asdict(outcome), indent=1) + "\n").encode())


def read(path: Path) -> Outcome:
    """What `write` wrote. Raises StorageError for a file that is damaged."""
    try:
        return Outcome(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        raise StorageError(f"{path} holds no outcome of this version; move it away and compare again.") from None


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return round(fmean(known), 4) if known else None
