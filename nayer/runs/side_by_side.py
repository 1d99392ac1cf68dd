"""Several runs side by side in one thread, each with its own budget. The run that has used the least works next."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from nayer.common.machine_memory import limit_for_a_run
from nayer.common.stopwatch import Stopwatch
from nayer.config import Config
from nayer.distillation.evaluation import TestImages
from nayer.distillation.redraw_preview import Redraws
from nayer.errors import ConfigError, NayerError
from nayer.events import Event, Note, RoundFinished, RunFailed, StudentKept
from nayer.exports.kept_students import KeptStudents
from nayer.exports.run_archive import description
from nayer.networks.specs import OWN
from nayer.runs import checkpoints
from nayer.runs.memory_check import check_memory
from nayer.runs.opinions import Examined, RealImage, answered_images, examined, kept_students, real_image
from nayer.runs.remote_rounds import Rounds, without_start
from nayer.runs.requests import close, log
from nayer.runs.run import Run, open_run
from nayer.teachers.load import weights_of
from nayer.teachers.upload import UploadedTeacher
from nayer.teachers.upload_loading import opened
from nayer.types import Images


@dataclass
class _Arm:
    run: Run
    events: Iterator[Event]
    seconds: float = 0.0  # of the run's own work only
    examined: Examined | None = None  # copies of its networks after its last round, after the first request for them

    @property
    def spent(self) -> tuple[float, float]:
        """The number that decides the turn: the share of the planned work, without a clock. With no plan, seconds."""
        share = self.run.task.share_of_work(self.run.state.work)
        return (share, 0.0) if self.run.task.config.work else (0.0, self.seconds)


class Lab:
    """An event source of runs with different configs. Every event has the number of its `arm`.

    With a budget in `work`, the order of the turns depends only on the configs. A run's seconds count only its own
    work, so a budget in `seconds` is the same for all runs, even if others work in between.
    """

    def __init__(
        self,
        configs: Sequence[Config],
        seeds: Sequence[int] = (),
        checkpoint: bytes = b"",
        uploaded: UploadedTeacher | None = None,
    ) -> None:
        """Each config is one arm. With `seeds`, all arms run with the first seed, then with the next, and so on.

        `checkpoint`: a single run continues from it; it contains the config. `uploaded`: the teacher of all arms, if it
        was uploaded.
        """
        self.configs = tuple(configs)
        self.seeds = tuple(seeds)
        self._checkpoint = checkpoint
        self._uploaded = uploaded
        self._given: dict[str, Any] = {}  # the contents of `uploaded`, after it is read
        self._arms: dict[int, _Arm] = {}
        self._students: KeptStudents | None = None  # of the first arm
        self._away: Rounds | None = None  # makes the next rounds, if they run elsewhere
        self._stopped = threading.Event()

    def events(self) -> Iterator[Event]:
        """The events of all arms to their ends. If an arm fails, it sends an event, and the others continue.

        Raises NayerError if there are no others. Raises Stopped after `stop` was called.
        """
        if not self.seeds:
            yield from self._side_by_side(self.configs)
        for seed in self.seeds:
            yield from self._side_by_side([Config.parse({"seed": seed}, config) for config in self.configs])

    def stop(self) -> None:
        """Makes `events` raise Stopped at the end of the current step. Any thread may call it."""
        self._stopped.set()

    def change(self, arm: int, values: Mapping[str, object]) -> Config:
        """`Run.change` of one arm."""
        return self._run(arm).change(values)

    def redraws(self, arm: int, label: int, count: int) -> Redraws:
        """`Run.redraws` of one arm."""
        return self._run(arm).redraws(label, count)

    def examine(self, arm: int) -> Examined:
        """Copies of an arm's networks now. After this call each round makes new copies. Call it between two events."""
        run = self._run(arm)
        made = self._arms[arm].examined or examined(run)
        self._arms[arm].examined = made
        return made

    def examined(self, arm: int) -> Examined | None:
        """The copies from the last round; None before `examine`. Any thread may call it at any time."""
        going = self._arms.get(arm)
        return None if going is None else going.examined

    def real_image(self, arm: int, label: int, pick: int) -> RealImage:
        """A test image of an arm. Raises ConfigError if that class has none, or if there are none at all."""
        return real_image(self._test_images(arm), label, pick)

    def answered_images(self, arm: int) -> Images:
        """The test images (n, c, h, w) of an arm in the order of its answers. Raises ConfigError if there are none."""
        return answered_images(self._test_images(arm))

    def _test_images(self, arm: int) -> TestImages:
        evaluator = self._run(arm).task.evaluator
        if not isinstance(evaluator, TestImages):
            raise ConfigError("this run has no test images; draw an image instead.")
        return evaluator

    def burst(self, rounds: Rounds) -> None:
        """Lets `rounds` make the next rounds of a single run. Then the run continues here. Call it between two events.

        Raises ConfigError for arms side by side.
        """
        if self.seeds or len(self.configs) > 1:
            raise ConfigError("a GPU burst needs a single run; arms side by side share their machine.")
        self._away = rounds

    def checkpoint(self) -> bytes:
        """All data that a single run needs to continue; empty for arms side by side. Call it at a RoundFinished."""
        if self.seeds or len(self.configs) > 1:
            return b""
        run = self._run(0)
        return checkpoints.dump(run.task.config, run.state)

    def student(self, arm: int) -> bytes:
        """The arm's student now, as safetensors with its network and classes. Call it between two events."""
        run = self._run(arm)
        return weights_of(run.student, description(run.student, run.task.classes))

    def kept_students(self) -> list[StudentKept]:
        """The first arm's students by round, for its recording. Any thread may call it at any time."""
        return [] if self._students is None else self._students.events()

    def _run(self, arm: int) -> Run:
        if arm not in self._arms:
            raise ConfigError(f"arm={arm} has not started; try again after its first images.")
        return self._arms[arm].run

    def _side_by_side(self, configs: Sequence[Config]) -> Iterator[Event]:
        self._arms = {}
        going = []
        for number, config in enumerate(configs):
            try:
                run = self._opened(config)
            except NayerError as error:
                if len(configs) == 1:
                    raise  # no other arm can continue
                yield RunFailed(round=0, seconds=0.0, arm=number, message=str(error))
                continue
            self._arms[number] = _Arm(run, self._events(run))
            if number == 0:
                self._students = kept_students(run)
            going.append(number)
            yield from self._round(number, going)  # viewers see this round while the next arm is opened
        while going:
            yield from self._burst()
            yield from self._round(min(going, key=lambda number: self._arms[number].spent), going)

    def _opened(self, config: Config) -> Run:
        if self._uploaded is not None:
            self._given = dict(zip(("teacher", "testset"), opened(self._uploaded), strict=True))
            self._uploaded = None
        if not self._checkpoint:
            run = open_run(config, beside=next((arm.run for arm in self._arms.values()), None), **self._given)
            _check_memory(run)
            return run
        run = open_run(checkpoints.config_of(self._checkpoint), **self._given)
        _check_memory(run)
        checkpoints.restore(self._checkpoint, run.state)
        self._checkpoint = b""
        return run

    def _events(self, run: Run) -> Iterator[Event]:
        return run.events(Stopwatch(run.state.seconds, stopped=self._stopped.is_set))

    def _round(self, number: int, going: list[int]) -> Iterator[Event]:
        """The arm's events up to the end of its round. An arm without more events is removed from `going`."""
        arm = self._arms[number]
        try:
            for event in arm.events:
                if isinstance(event, RoundFinished):
                    self._look_at(number)
                yield replace(event, arm=number)
                if isinstance(event, RoundFinished):
                    arm.seconds = event.seconds
                    return
        except NayerError as error:
            if len(self.configs) == 1:
                raise
            state = arm.run.state
            yield RunFailed(round=state.round, seconds=state.seconds, arm=number, message=str(error))
        going.remove(number)

    def _look_at(self, number: int) -> None:
        """Takes the networks of an arm as they are at the end of a round, for those who ask for them later."""
        arm = self._arms[number]
        if arm.examined is not None:
            arm.examined = examined(arm.run, arm.examined)
        if number == 0 and self._students is not None:
            self._students.add(arm.run.student, arm.run.state.round, arm.run.state.seconds)

    def _burst(self) -> Iterator[Event]:
        """The events of rounds made elsewhere, if requested. Then restores the run's state from their checkpoint."""
        away, self._away = self._away, None
        if away is None:
            return
        arm, content = self._arms[0], self.checkpoint()
        round_, seconds = arm.run.state.round, arm.run.state.seconds

        def note(message: str) -> Note:
            return Note(round=round_, seconds=seconds, message=message)

        yield note("The next rounds run on a borrowed GPU. Then the run continues here.")
        first = round_
        try:
            for events, checkpoint in away(content):
                content = checkpoint
                yield from events
                round_, seconds = events[-1].round + 1, events[-1].seconds
        except Exception:
            log.warning("a burst ended early", exc_info=True)
            yield note("The GPU was not available, or not long enough. The remaining rounds run here.")
        close(arm.events)
        checkpoints.restore(content, arm.run.state)
        arm.events, arm.seconds = without_start(self._events(arm.run)), arm.run.state.seconds
        self._look_at(0)
        if round_ > first:
            yield note(f"The GPU computed {round_ - first} of the rounds. The next rounds run here.")


def _check_memory(run: Run) -> None:
    """Counts a run whose teacher is known only after it was loaded, as one that `transformers` reads.

    The runs of all other teachers are counted before they wait for a slot. Raises ConfigError as `check_memory` does.
    """
    if run.card.model.architecture != OWN or run.task.device.type != "cpu":
        return
    with suppress(NotImplementedError):  # an operation that meta tensors lack
        whose = "the limit of this machine is"
        check_memory([(run.task.config, run.card)], limit_for_a_run(), whose, run.task.teacher)
