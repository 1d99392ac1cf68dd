"""A run of a comparison as a job: the parts that it sends, and the outcome that is put together from them.

A run that loses its machine continues on another one from its latest checkpoint.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat

import torch

from nayer.cluster.jobs import Executor, Job, JobDone, JobEvent, JobRestarted, LocalExecutor, Part, PartMade
from nayer.common.machine import machine
from nayer.common.stopwatch import Stopwatch
from nayer.compare.calibration import pace
from nayer.compare.experiments import Arm
from nayer.compare.interrupted_run import InterruptedRun, Progress
from nayer.compare.outcome import CLOCKS, MEASURING, OTHER, PHASES, Observer, Outcome, matrix_rate
from nayer.compare.run_parts import FailurePart, RoundPart, SavedState, StartPart
from nayer.config import Config
from nayer.distillation.report import Report
from nayer.errors import NayerError
from nayer.events import Evaluated, EvaluatedAtStart, Event, RoundFinished
from nayer.exports.metrics_table import Record
from nayer.runs import checkpoints
from nayer.runs.fresh_students import fresh_students
from nayer.runs.remote_rounds import without_start
from nayer.runs.run import open_run


@dataclass(frozen=True, slots=True)
class FreshStudents:
    """The new students at the end of a run; see `fresh_students`."""

    seeds: tuple[int, ...]
    phases: int


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How runs are timed, and how often their state is saved."""

    clock: str = "wall"  # one of CLOCKS
    threads: int = 0  # 0 leaves the number to torch
    keep_every: float = math.inf  # s between two checkpoints, for an executor that can lose a machine
    fresh: FreshStudents | None = None


def job_of(arm: Arm, seed: int, options: RunOptions, executor: Executor) -> Job:
    """One arm with one seed. Its parts: a StartPart, RoundParts, the accuracies of new students, or a FailurePart."""
    config = Config.parse({"seed": seed}, arm.config)
    return Job(f"{arm.title}, seed {seed}", partial(parts_of_run, config, options), *_demand(arm, options, executor))


def pace_of(arm: Arm, seconds: float, options: RunOptions, executor: Executor) -> Job:
    """The measurement of an arm's pace for a budget; see `pace`. Its only part contains the two numbers."""
    return Job(f"pace of {arm.title}", partial(_pace, arm.config, seconds, options), *_demand(arm, options, executor))


def _demand(arm: Arm, options: RunOptions, executor: Executor) -> tuple[int, float]:
    """The processors and GPUs that a run needs. No other run has its GPU."""
    cpus = max(1, options.threads)
    return cpus, executor.gpus_for(arm.config.device, cpus)


def _pace(config: Config, seconds: float, options: RunOptions, state: None) -> Iterator[Part]:
    if options.threads:
        torch.set_num_threads(options.threads)
    yield Part(pace(config, seconds, CLOCKS[options.clock]))


def parts_of_run(config: Config, options: RunOptions, saved: SavedState | None) -> Iterator[Part]:
    """The parts of the run: all of them, or those after the saved state."""
    if options.threads:
        torch.set_num_threads(options.threads)
    now = CLOCKS[options.clock]
    if saved is None:
        rate, device = round(matrix_rate(now), 1), config.device
        gpu = device != "cpu" and torch.cuda.is_available()
        yield Part(StartPart(rate, torch.get_num_threads(), machine("cuda" if gpu else "cpu")))
    try:
        yield from _measured_parts(config, options, saved, Stopwatch(saved.seconds if saved else 0.0, now=now))
    except NayerError as error:
        yield Part(FailurePart(str(error)))


def _measured_parts(config: Config, options: RunOptions, saved: SavedState | None, watch: Stopwatch) -> Iterator[Part]:
    """The parts with the events and their seconds. The student is measured at the end."""
    run = open_run(config)
    events = run.events(watch)
    spent = dict.fromkeys(("synthesis", "student", OTHER, MEASURING), 0.0)
    measured, saved_at = -1, time.monotonic()  # finished rounds at the latest evaluation
    if saved is not None:
        checkpoints.restore(saved.checkpoint, run.state, teacher=run.card.sha256)
        events, spent, measured = without_start(events), dict(saved.spent), saved.measured
    recent: list[tuple[Event, float]] = []
    before = watch.seconds()
    try:
        for event in events:
            phase = PHASES.get(type(event), OTHER)
            spent[phase] += watch.seconds() - before
            if phase == MEASURING:
                watch.forget()
            before = watch.seconds()
            recent.append((event, before))
            if isinstance(event, Evaluated):
                measured = 0 if isinstance(event, EvaluatedAtStart) else event.round + 1
            if isinstance(event, RoundFinished):
                state = None
                if time.monotonic() - saved_at >= options.keep_every:
                    content = checkpoints.dump(run.task.config, run.state, run.card.sha256)
                    state, saved_at = SavedState(content, before, dict(spent), measured), time.monotonic()
                yield Part(RoundPart(tuple(recent), _rounded(spent)), state)
                recent = []
    except NayerError:
        yield Part(RoundPart(tuple(recent), _rounded(spent)))
        raise
    if measured != run.state.round:
        recent.append((Report(run.task, run.state, watch).evaluated(), before))
    yield Part(RoundPart(tuple(recent), _rounded(spent)))
    if options.fresh is not None:
        yield Part(tuple(fresh_students(run, options.fresh.seeds, options.fresh.phases)))


def _rounded(spent: dict[str, float]) -> dict[str, float]:
    return {name: round(seconds, 3) for name, seconds in spent.items()}


class Collector:
    """Puts one run's outcome and record together from its parts.

    If the executor can lose machines, parts wait until the next saved state. Parts that a lost machine made after its
    latest saved state are made again, and counted once. A saved state also goes to `files`, for a later command.
    """

    def __init__(self, arm: Arm, seed: int, options: RunOptions, files: InterruptedRun | None = None) -> None:
        config = Config.parse({"seed": seed}, arm.config)
        outcome = Outcome(
            arm.title, seed, config.model_dump(), 0.0, options.clock, options.threads, with_measuring=False
        )
        self._observer = Observer(outcome)
        self._no_losses = options.keep_every == math.inf
        self._waiting: list[object] = []
        self._files, self._written = files, False

    def continue_from(self, progress: Progress) -> None:
        """Starts with the parts that an earlier command saved."""
        self._waiting, self._written = list(progress.parts), True
        self._count()

    def add(self, part: Part) -> None:
        """Takes the next part."""
        self._waiting.append(part.content)
        if part.state is not None and self._files is not None:
            self._files.add(self._waiting, part.state, first=not self._written)
            self._written = True
        if self._no_losses or part.state is not None:
            self._count()

    def restart(self) -> None:
        """Discards the parts after the latest saved state."""
        self._waiting = []

    def close(self) -> tuple[Outcome, Record]:
        """The outcome and the record, after the last part."""
        self._count()
        return self._observer.close(), self._observer.record

    def _count(self) -> None:
        outcome = self._observer.outcome
        for content in self._waiting:
            match content:
                case StartPart():
                    outcome.gigaflops, outcome.threads = content.gigaflops, content.threads
                    outcome.machine = content.machine
                case RoundPart():
                    for event, seconds in content.events:
                        self._observer.add(event, seconds)
                    outcome.spent = content.spent
                case FailurePart():
                    outcome.failure = content.message
                case tuple():
                    outcome.fresh = [_reached(one) for one in content]
        self._waiting = []


def _reached(one: Evaluated) -> float:
    return round(one.reached or 0.0, 5)


@dataclass(frozen=True, slots=True)
class Finished:
    """The run with this number in the list has ended."""

    number: int
    outcome: Outcome
    record: Record


def run_all(
    runs: Sequence[tuple[Arm, int]],
    options: RunOptions,
    executor: Executor,
    files: Sequence[InterruptedRun | None] = (),
) -> Iterator[JobEvent | Finished]:
    """Runs arms with seeds. Yields the events of the jobs, and each outcome when it is complete.

    A failed run is an outcome too, with its numbers up to the failure. `files` has the files of each run, if a later
    command must be able to continue interrupted runs.
    """
    collectors, jobs = [], []
    for (arm, seed), saved in zip(runs, files or repeat(None, len(runs)), strict=True):
        collector, job = Collector(arm, seed, options, saved), job_of(arm, seed, options, executor)
        if saved is not None and (progress := saved.read()) is not None:
            collector.continue_from(progress)
            job = replace(job, state=progress.state)
        collectors.append(collector)
        jobs.append(job)
    for event in executor.run(jobs):
        match event:
            case PartMade():
                collectors[event.number].add(event.part)
            case JobRestarted():
                collectors[event.number].restart()
        yield event
        if isinstance(event, JobDone):
            yield Finished(event.number, *collectors[event.number].close())


def run_one(arm: Arm, seed: int, clock: str = "wall") -> tuple[Outcome, Record]:
    """Runs one arm with one seed to its end, in this process."""
    for event in run_all([(arm, seed)], RunOptions(clock), LocalExecutor()):
        if isinstance(event, Finished):
            return event.outcome, event.record
    raise AssertionError("each run yields an outcome")
