"""`python -m nayer distill`: makes a run from its flags and writes its files."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Generator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from nayer.cli.exit_codes import BROKEN_PIPE, DONE, FAILED, STOPPED
from nayer.cli.export import add_push_arguments, check_push, pushed
from nayer.cli.json_lines import JsonLines, json_lines
from nayer.cli.memory import add_memory_argument, check_runs
from nayer.cli.options import add_base_arguments, add_setting_arguments, given_settings
from nayer.cli.progress import Progress, measured
from nayer.cli.streams import on_signals, stop
from nayer.common.extras import ONNX
from nayer.common.files import check_target, claimed, path_to_write, read_file, write_whole
from nayer.config import Config, settings
from nayer.errors import ConfigError, NayerError, StorageError, excerpt
from nayer.events import Event, RoundFinished, RunFailed, RunFinished, StudentKept
from nayer.exports import recording
from nayer.exports.config_file import read_config
from nayer.exports.metrics_table import Record, rows_before
from nayer.exports.onnx_file import check_onnx, onnx_of
from nayer.exports.run_folder import CODE, METRICS, check_run_folder, export
from nayer.exports.tracking import TRACKERS, Tracking, check_tracker, open_tracking
from nayer.networks.cards import student_spec
from nayer.networks.classifiers import Classifier
from nayer.presets import get
from nayer.runs import checkpoints
from nayer.runs.opinions import kept_students
from nayer.runs.run import Run, open_run

_LOADS = "In this folder, `import student; network = student.load()` needs only torch and safetensors."
MAX_METRICS_BYTES = 64 << 20
SECONDS_BETWEEN_CHECKPOINTS = 30.0  # of training; writing one takes well under a second

# A resumed run may change its length, its device and its measurements, but no setting that it has learned with.
RESUMABLE = tuple(one.name for one in settings() if one.resumable)


def add_distill_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `distill_command`: its own, and a flag for each setting."""
    parser.usage = (
        "%(prog)s [--config FILE] [--teacher NAME] [--preset NAME] [--seed N] [--seconds X] [--rounds N] "
        "[--json FILE] [--out DIR] …"
    )
    add_base_arguments(parser)
    parser.add_argument(
        "--json",
        metavar="FILE",
        type=partial(path_to_write, "json"),
        help="Write one event per line to this file; - is standard output.",
    )
    parser.add_argument(
        "--record",
        metavar="FILE",
        type=partial(path_to_write, "record"),
        help="Write the run, with its students by round, as a recording that the page can play.",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=partial(path_to_write, "out"),
        help="Write the student, samples, metrics, config and checkpoint to this folder.",
    )
    parser.add_argument(
        "--resume",
        metavar="DIR",
        type=partial(path_to_write, "resume"),
        help="Continue the run that --out DIR saved. Only these settings can change: " + ", ".join(RESUMABLE) + ".",
    )
    parser.add_argument(
        "--track",
        metavar="|".join(TRACKERS),
        help="Also send config, metrics and samples to this tracker. Its package must be installed.",
    )
    parser.add_argument(
        "--onnx", action="store_true", help=f"Also write the student as {ONNX} to the --out folder, and check it."
    )
    add_push_arguments(parser)
    add_memory_argument(parser)
    add_setting_arguments(parser)


def distill_command(arguments: argparse.Namespace) -> int:
    """Runs to the end, a signal or a failure, and saves the result. Returns an exit code. Raises NayerError before."""
    folder: Path | None = arguments.out or arguments.resume
    config = _config(arguments)
    check_runs([config], arguments)
    _check_publishing(arguments, folder)
    if folder:
        check_run_folder(folder)
    if arguments.record:
        check_target(arguments.record, "record")
    with claimed(folder) if folder else nullcontext():
        return _distilled(arguments, config, folder)


def _distilled(arguments: argparse.Namespace, config: Config, folder: Path | None) -> int:
    target = str(arguments.json or "")
    record = Record()
    tape = recording.RecordingBuilder() if arguments.record else None
    with (
        json_lines(target) if target else nullcontext() as lines,
        Progress(config, quiet=target == "-") as progress,
    ):
        run = open_run(config)
        if arguments.resume:
            checkpoints.load_state(arguments.resume, run.state, run.card.sha256)
            record.rows = _earlier_rows(arguments.resume, run.state.round)
        saved_round = run.state.round if arguments.resume == folder else 0
        tracking = open_tracking(arguments.track, config, folder) if arguments.track else None
        follower = _Follower(run, record, lines, progress, folder, tape, saved_round, tracking)
        with on_signals(follower.ask):
            follower.follow()
            failures = follower.failures
            if folder:
                failures += _keep(folder, run, record) or _published(folder, run, record, arguments)
            if tracking:
                tracking.finish()
                failures += [tracking.failure] if tracking.failure else []
            if tape:
                failures += _keep_recording(arguments.record, [*tape.events, *follower.students])
            if lines and lines.failure:
                failures.append(str(lines.failure))
    sys.stderr.writelines(f"{failure}\n" for failure in failures)
    if follower.code not in (DONE, BROKEN_PIPE):
        sys.stderr.write(f"{follower.how_to_continue()}\n")
    if target != "-":
        sys.stdout.write(_summary(record, folder))
    return FAILED if failures else follower.code


class _Follower:
    """Takes a run's events one by one, passes them on and saves between rounds.

    `code` is the exit code for a requested stop, if there is one.
    """

    def __init__(
        self,
        run: Run,
        record: Record,
        lines: JsonLines | None,
        progress: Progress,
        folder: Path | None,
        tape: recording.RecordingBuilder | None,
        saved_round: int,
        tracking: Tracking | None,
    ) -> None:
        self.failures: list[str] = []
        self.code = DONE
        self._tape, self._tracking = tape, tracking
        self._students = kept_students(run) if tape else None
        self._run, self._record, self._lines, self._progress = run, record, lines, progress
        self._folder = folder
        self._saved_at = float("-inf")  # seconds of the run
        self._saved_round = saved_round  # rounds in the checkpoint in the folder; 0 if there is none
        self._unsaved = ""  # why the latest checkpoint could not be written
        self._between_rounds = False

    def ask(self, number: int) -> None:
        """Stops at the next event for the first signal, and at once for the second."""
        if self.code:
            stop(number)
        self.code = STOPPED + number

    @property
    def students(self) -> list[StudentKept]:
        """The students by round, if there is a recording."""
        return self._students.events() if self._students else []

    def how_to_continue(self) -> str:
        """One sentence that says how to continue a stopped run."""
        if not self._folder:
            return "Stopped. Without --out nothing is kept. The same command starts from the beginning."
        if not self._saved_round:
            return (
                "Stopped before the first round was complete, so there is no checkpoint. The same command starts "
                "from the beginning."
            )
        return (
            f"Stopped. `python -m nayer distill --resume {self._folder}` continues with round {self._saved_round + 1}."
        )

    def follow(self) -> None:
        events = self._run.events()
        try:
            for event in events:
                self._take(event)
                if self._progress.reader_left or (self._lines and self._lines.reader_left):
                    self.code = BROKEN_PIPE
                if self.code:
                    break
        except NayerError as error:
            self._take(RunFailed(round=self._run.state.round, seconds=self._run.state.seconds, message=str(error)))
            self.failures.append(str(error))
            return
        finally:
            if isinstance(events, Generator):
                events.close()
        if not isinstance(event, RunFinished):
            self._take(RunFinished(round=event.round, seconds=event.seconds, reason="stopped"))
        if self._between_rounds and self._folder:
            self._save(self._folder, event.seconds)
        if self._unsaved:
            last = f"of round {self._saved_round}" if self._saved_round else "from before, if there is one,"
            self.failures.append(f"{self._unsaved} The checkpoint {last} is unchanged.")

    def _take(self, event: Event) -> None:
        self._record.add(event)
        if self._tape:
            self._tape.add(event)
        if self._tracking:
            self._tracking.add(event)
        self._progress.show(event)
        if self._lines:
            self._lines.write(event)
        if isinstance(event, RoundFinished):
            self._between_rounds = True
            if self._folder and event.seconds - self._saved_at >= SECONDS_BETWEEN_CHECKPOINTS:
                self._save(self._folder, event.seconds)
            if self._students:
                self._students.add(self._run.student, event.round + 1, event.seconds)
        elif not isinstance(event, RunFinished):
            self._between_rounds = False

    def _save(self, folder: Path, seconds: float) -> None:
        """Writes a checkpoint. If it cannot be written, it reports that, and the run continues."""
        try:
            self._run.save(folder)
            self._saved_round, self._unsaved = self._run.state.round, ""
        except StorageError as error:
            if not self._unsaved:
                self._progress.say(f"{error} The run continues and tries again.")
            self._unsaved = str(error)
        self._saved_at = seconds


def _config(arguments: argparse.Namespace) -> Config:
    given = given_settings(arguments)
    if arguments.config:
        return _config_of_file(arguments, given)
    if not arguments.resume:
        return Config.parse(given, base=get(arguments.preset or "nayer").config)
    if arguments.preset:
        raise ConfigError(f"preset={arguments.preset[:60]!r} cannot be used with --resume; the run keeps its settings.")
    for name, value in given.items():
        if name not in RESUMABLE:
            raise ConfigError(f"{name}={value!r} cannot change in a resumed run; use one of {', '.join(RESUMABLE)}.")
    return Config.parse(given, base=checkpoints.load_config(arguments.resume))


def _config_of_file(arguments: argparse.Namespace, given: dict[str, object]) -> Config:
    for flag in ("resume", "preset"):
        if value := getattr(arguments, flag):
            instead = "leave one of them out" if flag == "resume" else f"write `preset: {excerpt(value)}` into the file"
            raise ConfigError(f"{flag}={excerpt(value)!r} cannot be used with --config; {instead}.")
    return Config.parse(given, base=read_config(arguments.config))


def _earlier_rows(folder: Path, round_: int) -> list[dict[str, str]]:
    try:
        return rows_before(round_, read_file(folder / METRICS, MAX_METRICS_BYTES).decode())
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text"
        raise StorageError(f"{METRICS} cannot be read ({reason}); move it away and resume again.") from None


def _keep(folder: Path, run: Run, record: Record) -> list[str]:
    """Exports into `folder`, or to a place with free space. Returns sentences about failures."""
    config, model = run.task.config, student_spec(run.card, run.task.config.student)
    try:
        export(folder, config, model, run.student, record)
    except StorageError as failure:
        try:
            refuge = Path(tempfile.mkdtemp(prefix="nayer-"))
            export(refuge, config, model, run.student, record)
        except (OSError, StorageError):
            return [str(failure)]
        return [f"{failure} The student is saved in {refuge}."]
    return []


def _check_publishing(arguments: argparse.Namespace, folder: Path | None) -> None:
    """Raises ConfigError or StorageError before hours of work for what could not be written after them."""
    for flag in ("onnx", "push"):
        if getattr(arguments, flag) and folder is None:
            raise ConfigError(f"{flag} needs --out; name the folder of the run.")
    if arguments.track:
        check_tracker(arguments.track)
    if arguments.onnx:
        check_onnx()
    if arguments.push:
        check_push()


def _published(folder: Path, run: Run, record: Record, arguments: argparse.Namespace) -> list[str]:
    """Writes and uploads what the flags ask for. Returns sentences about failures."""
    failures = []
    if arguments.onnx:
        try:
            if not isinstance(run.student, Classifier):
                raise StorageError(
                    f"{ONNX} cannot be made, because the student is not a network of this package; leave out --onnx."
                )
            write_whole(folder / ONNX, onnx_of(run.student, record.classes))
        except StorageError as failure:
            failures.append(str(failure))
    if arguments.push:
        try:
            sys.stderr.write(f"The student is at {pushed(folder, arguments)}\n")
        except StorageError as failure:
            failures.append(str(failure))
    return failures


def _keep_recording(path: Path, events: list[Event]) -> list[str]:
    try:
        recording.save(path, events)
    except StorageError as failure:
        return [str(failure)]
    return []


def _summary(record: Record, folder: Path | None) -> str:
    last = record.last
    result = measured(record.evaluated) if record.evaluated else "not measured yet"
    reason = last.reason if isinstance(last, RunFinished) else "failed"
    seconds = last.seconds if last else 0.0
    where = f"; files in {folder}\n{_LOADS}" if folder and (folder / CODE).is_file() else ""
    return f"{reason} after {seconds:.0f} s and {len(record.rows)} rounds: {result}{where}\n"
