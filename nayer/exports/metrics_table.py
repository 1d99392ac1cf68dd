"""The metrics of a run: a row of numbers per round, and the samples of the latest rounds."""

from __future__ import annotations

import csv
import io
from collections import deque
from statistics import fmean

import numpy as np

from nayer.earlier_versions import RENAMED_FIELDS
from nayer.errors import StorageError
from nayer.events import (
    DiversityMeasured,
    Evaluated,
    EvaluatedAtStart,
    Event,
    GeneratorStep,
    LayerRedrawn,
    RoundFinished,
    RoundSynthesized,
    RunStarted,
    SecondOpinion,
    StudentStep,
)
from nayer.types import Images

DIVERSITY = tuple(
    f"{scale}{end}" for scale in ("within_round", "across_rounds", "over_pool") for end in ("", "_noise", "_real")
)
COLUMNS = (
    "round",  # 1 is the first, as on the page
    "seconds",
    "accuracy",  # of the student; this and the next two are shares in 0..1
    "teacher_accuracy",
    "agreement",
    "generator_loss",
    "ce",
    "bn",
    "adversarial",
    "label_accuracy",
    "named_by_judge",  # share of the round's batch
    "judge_confidence",
    "student_loss",
    "pool_size",
    "redrawn",
    *DIVERSITY,  # Vendi score, distance to the nearest earlier image, Vendi score: of samples, noise and real images
    "labels_kept",
)
JUDGED = ("named_by_judge", "judge_confidence")
WITHOUT_JUDGE = tuple(name for name in COLUMNS if name not in JUDGED)
_EARLIER = tuple(  # earlier versions counted rounds from 0 and wrote no diversity
    tuple(name for name in columns if name not in (*DIVERSITY, "labels_kept")) for columns in (COLUMNS, WITHOUT_JUDGE)
)
SHOWN_ROUNDS = 12
GAP = 2  # px between two samples


class Record:
    """Collects events. `rows` has one entry for each finished round. Values that were not measured are left out."""

    def __init__(self, rows: list[dict[str, str]] | None = None) -> None:
        self.rows: list[dict[str, str]] = rows or []
        self.classes: tuple[str, ...] = ()
        self.last: Event | None = None
        self.evaluated: Evaluated | None = None
        self._row: dict[str, object] = {}
        self._student_losses: list[float] = []
        self._samples: deque[Images] = deque(maxlen=SHOWN_ROUNDS)  # (k, c, h, w) each, the newest last

    def add(self, event: Event) -> None:
        """Takes the next event into the rows."""
        self.last = event
        match event:
            case RunStarted():
                self.classes = event.classes
            case LayerRedrawn():
                self._row["redrawn"] = event.what
            case GeneratorStep():
                self._row |= {"ce": event.ce, "bn": event.bn, "adversarial": event.adversarial}
            case RoundSynthesized():
                self._row |= {
                    "generator_loss": event.loss,
                    "label_accuracy": event.label_accuracy,
                    "pool_size": event.pool_size,
                }
                self._samples.append(_one_per_class(event, len(self.classes)))
            case SecondOpinion():
                self._row |= {"named_by_judge": event.named_share, "judge_confidence": event.confidence_mean}
            case DiversityMeasured():
                self._row |= _diversity(event)
            case StudentStep():
                self._student_losses.append(event.loss)
            case EvaluatedAtStart():
                pass  # belongs to no round
            case Evaluated():
                self.evaluated = event
                self._row |= {"accuracy": event.accuracy, "teacher_accuracy": event.teacher_accuracy}
                self._row["agreement"] = event.agreement
            case RoundFinished():
                self._finish_row(event)

    def _finish_row(self, event: RoundFinished) -> None:
        if self._student_losses:
            self._row["student_loss"] = fmean(self._student_losses)
        row = {"round": event.round + 1, "seconds": event.seconds, **self._row}
        self.rows.append({name: _cell(value) for name, value in row.items() if value is not None})
        self._row, self._student_losses = {}, []

    def csv(self) -> str:
        """A heading, then one line for each round. A cell is empty if nothing was measured.

        The two columns of the judge are present if any round has a value for them.
        """
        text = io.StringIO()
        judged = any(name in row for row in self.rows for name in JUDGED)
        columns = COLUMNS if judged else WITHOUT_JUDGE
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()

    def grid(self, rounds: int = SHOWN_ROUNDS) -> Images:
        """(rows, columns, c) uint8: one column for each class, one row for each round, the newest on top.

        There are no pixels before the first round. The grid shows at most the latest `rounds` rounds; SHOWN_ROUNDS
        rounds are kept.
        """
        if not self._samples:
            return np.zeros((0, 0, 1), np.uint8)
        tiles = np.stack(list(self._samples)[::-1][:rounds])  # (r, k, c, h, w)
        framed = np.pad(tiles, ((0, 0), (0, 0), (0, 0), (0, GAP), (0, GAP)), constant_values=255)
        r, k, c, h, w = framed.shape
        return framed.transpose(0, 3, 1, 4, 2).reshape(r * h, k * w, c)


def rows_before(round_: int, text: str) -> list[dict[str, str]]:
    """The rows of an earlier `csv()` that come before `round_`, 0 for the first. A run that resumes there does not make
    them again."""
    reader = csv.DictReader(io.StringIO(text))
    try:
        columns = tuple(RENAMED_FIELDS.get(name, name) for name in reader.fieldnames or ())
        reader.fieldnames = columns
        if columns not in (COLUMNS, WITHOUT_JUDGE, *_EARLIER):
            raise StorageError("metrics.csv has columns of another version; move it away and resume again.")
        first = 0 if columns in _EARLIER else 1
        rows = [row | {"round": str(int(row["round"]) + 1 - first)} for row in reader]
        return [row for row in rows if int(row["round"]) <= round_]
    except (TypeError, ValueError, csv.Error):
        raise StorageError("metrics.csv has a line without a round; move it away and resume again.") from None


def _diversity(event: DiversityMeasured) -> dict[str, float | None]:
    """The means over classes, by column. A scale or a reference that was not measured is None."""
    return {**dict(zip(DIVERSITY, event.means, strict=True)), "labels_kept": event.labels_kept}


def _one_per_class(event: RoundSynthesized, classes: int) -> Images:
    """The first image for each wanted class: (k, c, h, w). It is black if the event has no image of the class."""
    picked = np.zeros((classes, *event.images.shape[1:]), np.uint8)
    labels, firsts = np.unique(event.labels, return_index=True)
    picked[labels] = event.images[firsts]
    return picked


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
