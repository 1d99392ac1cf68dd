"""Runs what is missing in a folder on an executor, and shows the runs that are in progress in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table
from rich.text import Text

from nayer.cli.console import LiveDisplay
from nayer.cluster.jobs import Executor, JobDone, JobEvent, JobRestarted, JobStarted, PartMade
from nayer.compare.experiments import Arm
from nayer.compare.outcome import Outcome
from nayer.compare.outcome_folder import OutcomeFolder
from nayer.compare.run_jobs import Finished, RunOptions, run_all
from nayer.compare.run_parts import RoundPart
from nayer.config import Config
from nayer.events import Evaluated, RoundFinished

REDRAWS = 4  # in a second
MOST_ROWS = 40  # runs at work that are shown


def run_missing(
    runs: Sequence[tuple[Arm, int]],
    folder: OutcomeFolder,
    options: RunOptions,
    executor: Executor,
    finished: Callable[[list[Outcome]], None],
) -> list[Outcome]:
    """The outcomes of all runs, in their order. Reads those that the folder has, and writes the others into it.

    Calls `finished` with the outcomes so far after each run, so that an interrupted command leaves tables too.
    """
    outcomes, missing = folder.missing(runs)

    def so_far() -> list[Outcome]:
        return [outcomes[number] for number in sorted(outcomes)]

    with RunTable([runs[number] for number in missing]) as table:
        files = [folder.interrupted(*runs[number]) for number in missing]
        for event in run_all([runs[number] for number in missing], options, executor, files):
            if not isinstance(event, Finished):
                table.show(event)
                continue
            folder.put(event.outcome, event.record)
            files[event.number].remove()
            outcomes[missing[event.number]] = event.outcome
            table.say(f"{len(outcomes)} of {len(runs)}: {result_line(event.outcome)}")
            finished(so_far())
    if not missing:
        finished(so_far())
    return so_far()


def result_line(outcome: Outcome) -> str:
    """The result of a run in one line."""
    reached = outcome.failure or ("not measured" if outcome.accuracy is None else f"{outcome.accuracy:.1%}")
    return f"{outcome.arm}, seed {outcome.seed}: {reached} after {outcome.seconds:.0f} s"


class RunTable(LiveDisplay):
    """A context that shows the runs at work on stderr: a live table in a terminal, otherwise only sentences."""

    def __init__(self, runs: Sequence[tuple[Arm, int]]) -> None:
        super().__init__(per_second=REDRAWS)
        self._runs = runs
        self._rows: dict[int, list[str]] = {}  # of runs at work: node, progress, accuracy

    def show(self, event: JobEvent) -> None:
        """Updates the table from an event of a run's job."""
        match event:
            case JobStarted():
                self._rows[event.number] = [event.node, "loading…", "–"]
            case PartMade():
                if isinstance(event.part.content, RoundPart):
                    self._advance(event.number, event.part.content)
            case JobRestarted():
                arm, seed = self._runs[event.number]
                self._rows.pop(event.number, None)
                self.say(f"{arm.title}, seed {seed}: {event.reason}")
            case JobDone():
                self._rows.pop(event.number, None)

    def _advance(self, number: int, part: RoundPart) -> None:
        row = self._rows.setdefault(number, ["", "", "–"])
        config = self._runs[number][0].config
        for happened, seconds in part.events:
            match happened:
                case RoundFinished():
                    row[1] = f"{_progress(happened, config)} · {seconds:.0f} s"
                case Evaluated():
                    row[2] = row[2] if happened.reached is None else f"{happened.reached:.1%}"

    def drawing(self) -> Table:
        """A row for each run at work: its node if there are several, its progress and its accuracy."""
        table = Table(box=None, pad_edge=False)
        nodes = any(row[0] for row in self._rows.values())
        for heading in ("run", *(["node"] if nodes else []), "progress", "accuracy"):
            table.add_column(heading, no_wrap=True)
        for number in sorted(self._rows)[:MOST_ROWS]:
            arm, seed = self._runs[number]
            node, *rest = self._rows[number]
            cells = [f"{arm.title}, seed {seed}", *([node] if nodes else []), *rest]
            table.add_row(*(Text(cell) for cell in cells))
        return table


def _progress(event: RoundFinished, config: Config) -> str:
    if config.work:
        return f"{min(1.0, event.work / config.work):.0%} of the work"
    return f"round {event.round + 1} of {event.rounds}"
