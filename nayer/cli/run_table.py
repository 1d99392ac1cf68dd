"""Runs what is missing in a folder at a place, and shows all runs at work in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table
from rich.text import Text

from nayer.cli.console import LiveDisplay
from nayer.cluster.places import Again, Began, Done, Made, Place, Told
from nayer.compare.experiments import Arm
from nayer.compare.outcome import Outcome
from nayer.compare.outcome_folder import OutcomeFolder
from nayer.compare.passages import Passage
from nayer.compare.sittings import Finished, Order, followed
from nayer.config import Config
from nayer.events import Evaluated, RoundFinished

REDRAWS = 4  # in a second
MOST_ROWS = 40  # runs at work that are shown


def run_missing(
    runs: Sequence[tuple[Arm, int]],
    folder: OutcomeFolder,
    order: Order,
    place: Place,
    finished: Callable[[list[Outcome]], None],
) -> list[Outcome]:
    """The outcomes of all runs, in their order. Reads those that the folder has, and writes the others into it.

    Calls `finished` with the outcomes so far after each run, so that an interrupted command leaves tables too.
    """
    outcomes, missing = folder.missing(runs)

    def so_far() -> list[Outcome]:
        return [outcomes[number] for number in sorted(outcomes)]

    with RunTable([runs[number] for number in missing]) as table:
        files = [folder.cut_off(*runs[number]) for number in missing]
        for told in followed([runs[number] for number in missing], order, place, files):
            if not isinstance(told, Finished):
                table.show(told)
                continue
            folder.put(told.outcome, told.record)
            files[told.number].remove()
            outcomes[missing[told.number]] = told.outcome
            table.say(f"{len(outcomes)} of {len(runs)}: {result_line(told.outcome)}")
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

    def show(self, told: Told) -> None:
        """Updates the table from the news of a run."""
        match told:
            case Began():
                self._rows[told.number] = [told.node, "loading…", "–"]
            case Made():
                if isinstance(told.part.content, Passage):
                    self._advance(told.number, told.part.content)
            case Again():
                arm, seed = self._runs[told.number]
                self._rows.pop(told.number, None)
                self.say(f"{arm.title}, seed {seed}: {told.reason}")
            case Done():
                self._rows.pop(told.number, None)

    def _advance(self, number: int, passage: Passage) -> None:
        row = self._rows.setdefault(number, ["", "", "–"])
        config = self._runs[number][0].config
        for event, seconds in passage.events:
            match event:
                case RoundFinished():
                    row[1] = f"{_progress(event, config)} · {seconds:.0f} s"
                case Evaluated():
                    row[2] = row[2] if event.reached is None else f"{event.reached:.1%}"

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
