"""A run of a comparison as a job: what it makes at its place, and how the outcome is put together from that.

A run that loses its machine continues on another one from its latest checkpoint. Each of these is a sitting.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat

import torch

from nayer.cluster.places import Again, Done, Here, Job, Made, Part, Place, Told
from nayer.common.machine import machine
from nayer.common.stopwatch import Stopwatch
from nayer.compare.calibration import pace
from nayer.compare.cut_off import CutOff, Left
from nayer.compare.experiments import Arm
from nayer.compare.outcome import CLOCKS, MEASURING, OTHER, PHASES, Observer, Outcome, matrix_rate
from nayer.compare.passages import Failure, Kept, Opening, Passage
from nayer.config import Config
from nayer.distillation.report import Report
from nayer.errors import NayerError
from nayer.events import Evaluated, EvaluatedAtStart, Event, RoundFinished
from nayer.exports.metrics_table import Record
from nayer.runs import checkpoints
from nayer.runs.fresh_students import fresh_students
from nayer.runs.remote_rounds import going_on
from nayer.runs.run import open_run


@dataclass(frozen=True, slots=True)
class Fresh:
    """Asks for new students at the end of a run; see `fresh_students`."""

    seeds: tuple[int, ...]
    phases: int


@dataclass(frozen=True, slots=True)
class Order:
    """How runs are made and timed at their place."""

    clock: str = "wall"  # one of CLOCKS
    threads: int = 0  # 0 leaves the number to torch
    keep_every: float = math.inf  # s between two checkpoints, for a place that can lose a machine
    fresh: Fresh | None = None


def job_of(arm: Arm, seed: int, order: Order, place: Place) -> Job:
    """One arm with one seed. Its parts contain an Opening, then Passages, perhaps new students, perhaps a Failure."""
    config = Config.parse({"seed": seed}, arm.config)
    return Job(f"{arm.title}, seed {seed}", partial(sitting, config, order), *_demand(arm, order, place))


def pace_of(arm: Arm, seconds: float, order: Order, place: Place) -> Job:
    """The measurement of an arm's pace for a budget; see `pace`. Its only part contains the two numbers."""
    return Job(f"pace of {arm.title}", partial(_pace, arm.config, seconds, order), *_demand(arm, order, place))


def _demand(arm: Arm, order: Order, place: Place) -> tuple[int, float]:
    """Processors and GPUs. A run on a GPU has it alone."""
    cpus = max(1, order.threads)
    return cpus, place.gpus_for(arm.config.device, cpus)


def _pace(config: Config, seconds: float, order: Order, kept: None) -> Iterator[Part]:
    if order.threads:
        torch.set_num_threads(order.threads)
    yield Part(pace(config, seconds, CLOCKS[order.clock]))


def sitting(config: Config, order: Order, kept: Kept | None) -> Iterator[Part]:
    """The run from its beginning or from `kept` on."""
    if order.threads:
        torch.set_num_threads(order.threads)
    now = CLOCKS[order.clock]
    if kept is None:
        rate, device = round(matrix_rate(now), 1), config.device
        gpu = device != "cpu" and torch.cuda.is_available()
        yield Part(Opening(rate, torch.get_num_threads(), machine("cuda" if gpu else "cpu")))
    try:
        yield from _sitting(config, order, kept, Stopwatch(kept.seconds if kept else 0.0, now=now))
    except NayerError as error:
        yield Part(Failure(str(error)))


def _sitting(config: Config, order: Order, kept: Kept | None, watch: Stopwatch) -> Iterator[Part]:
    """Follows the run's events and their cost, and measures the student at the end."""
    run = open_run(config)
    events = run.events(watch)
    spent = dict.fromkeys(("synthesis", "student", OTHER, MEASURING), 0.0)
    measured, kept_at = -1, time.monotonic()  # finished rounds at the latest evaluation
    if kept is not None:
        checkpoints.restore(kept.checkpoint, run.state, teacher=run.card.sha256)
        events, spent, measured = going_on(events), dict(kept.spent), kept.measured
    passed: list[tuple[Event, float]] = []
    before = watch.seconds()
    try:
        for event in events:
            phase = PHASES.get(type(event), OTHER)
            spent[phase] += watch.seconds() - before
            if phase == MEASURING:
                watch.forget()
            before = watch.seconds()
            passed.append((event, before))
            if isinstance(event, Evaluated):
                measured = 0 if isinstance(event, EvaluatedAtStart) else event.round + 1
            if isinstance(event, RoundFinished):
                state = None
                if time.monotonic() - kept_at >= order.keep_every:
                    content = checkpoints.dump(run.task.config, run.state, run.card.sha256)
                    state, kept_at = Kept(content, before, dict(spent), measured), time.monotonic()
                yield Part(Passage(tuple(passed), _rounded(spent)), state)
                passed = []
    except NayerError:
        yield Part(Passage(tuple(passed), _rounded(spent)))
        raise
    if measured != run.state.round:
        passed.append((Report(run.task, run.state, watch).evaluated(), before))
    yield Part(Passage(tuple(passed), _rounded(spent)))
    if order.fresh is not None:
        yield Part(tuple(fresh_students(run, order.fresh.seeds, order.fresh.phases)))


def _rounded(spent: dict[str, float]) -> dict[str, float]:
    return {name: round(seconds, 3) for name, seconds in spent.items()}


class Collector:
    """Puts one run's outcome and record together from the parts of its sittings.

    If a place can lose machines, parts are held until the next state is kept. What a lost machine made after that is
    then made again, and counted once. A new state also goes to `cut_off`, for a later command.
    """

    def __init__(self, arm: Arm, seed: int, order: Order, cut_off: CutOff | None = None) -> None:
        config = Config.parse({"seed": seed}, arm.config)
        outcome = Outcome(arm.title, seed, config.model_dump(), 0.0, order.clock, order.threads, with_measuring=False)
        self._observer = Observer(outcome)
        self._safe = order.keep_every == math.inf
        self._held: list[object] = []
        self._cut_off, self._written = cut_off, False

    def go_on(self, left: Left) -> None:
        """Begins with what an earlier command left."""
        self._held, self._written = list(left.parts), True
        self._fold()

    def add(self, part: Part) -> None:
        """Takes the next part."""
        self._held.append(part.content)
        if part.kept is not None and self._cut_off is not None:
            self._cut_off.add(self._held, part.kept, first=not self._written)
            self._written = True
        if self._safe or part.kept is not None:
            self._fold()

    def again(self) -> None:
        """The parts after the latest kept state are void."""
        self._held = []

    def close(self) -> tuple[Outcome, Record]:
        """The outcome and the record, after the last part."""
        self._fold()
        return self._observer.close(), self._observer.record

    def _fold(self) -> None:
        outcome = self._observer.outcome
        for content in self._held:
            match content:
                case Opening():
                    outcome.gigaflops, outcome.threads = content.gigaflops, content.threads
                    outcome.machine = content.machine
                case Passage():
                    for event, seconds in content.events:
                        self._observer.add(event, seconds)
                    outcome.spent = content.spent
                case Failure():
                    outcome.failure = content.message
                case tuple():
                    outcome.fresh = [_reached(one) for one in content]
        self._held = []


def _reached(one: Evaluated) -> float:
    return round(one.reached or 0.0, 5)


@dataclass(frozen=True, slots=True)
class Finished:
    """The run of that number in the list has ended."""

    number: int
    outcome: Outcome
    record: Record


def followed(
    runs: Sequence[tuple[Arm, int]], order: Order, place: Place, cut_off: Sequence[CutOff | None] = ()
) -> Iterator[Told | Finished]:
    """Runs arms with seeds at a place: its news, and each outcome when it is complete.

    A failed run is an outcome too, with its numbers up to the failure. `cut_off` has the files of each run, if a later
    command shall continue those that end before their outcome.
    """
    collectors, jobs = [], []
    for (arm, seed), files in zip(runs, cut_off or repeat(None, len(runs)), strict=True):
        collector, job = Collector(arm, seed, order, files), job_of(arm, seed, order, place)
        if files is not None and (left := files.read()) is not None:
            collector.go_on(left)
            job = replace(job, kept=left.kept)
        collectors.append(collector)
        jobs.append(job)
    for told in place.run(jobs):
        match told:
            case Made():
                collectors[told.number].add(told.part)
            case Again():
                collectors[told.number].again()
        yield told
        if isinstance(told, Done):
            yield Finished(told.number, *collectors[told.number].close())


def observed(arm: Arm, seed: int, clock: str = "wall") -> tuple[Outcome, Record]:
    """Runs one arm with one seed to its end, in this process."""
    for told in followed([(arm, seed)], Order(clock), Here()):
        if isinstance(told, Finished):
            return told.outcome, told.record
    raise AssertionError("a run that ends has an outcome")
