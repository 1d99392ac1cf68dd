"""The view of a run, which all its viewers share, and its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.run_state.answers import Answers
from app.run_state.embedding_map import Atlas, Dots
from nayer.common.thinning import thin_out
from nayer.events import RunStarted

Phase = Literal["", "redraw", "generator", "pool", "student", "measure"]
LONGEST = 1200  # points a curve keeps; more than a chart has pixels


@dataclass(frozen=True, slots=True)
class Condition:
    """The run's state from outside. The algorithm has no such event, but it is folded like one, so readers get it."""

    state: str  # queued, running, paused, finished, stopped, failed, interrupted
    ahead: int = 0  # runs that come first
    error: str = ""  # one sentence, when failed
    pace: float = 0.0  # seconds an event, in slow motion
    kept: str = ""  # one sentence, if the run may be lost with the process or to others who wait
    wait: float | None = None  # about how many seconds until a place is free, while queued


@dataclass(frozen=True, slots=True)
class Point:
    """One moment of a curve: `seq` is when it became known, `x` is in rounds, a missing value is None."""

    seq: int
    x: float
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one chart, oldest first."""

    points: tuple[Point, ...] = ()
    thinned: int = 0  # the `seq` at which old points were last dropped, 0 for never

    def add(self, point: Point) -> Series:
        """The series with one more point. When there are too many, every second point of the older half is dropped."""
        points = (*self.points, point)
        if len(points) <= LONGEST:
            return Series(points, self.thinned)
        return Series(tuple(thin_out(points, LONGEST)), point.seq)

    def since(self, seq: int) -> tuple[bool, list[list[float | None]]]:
        """(whether this replaces what the reader has, rows of [x, *values] newer than `seq`)."""
        replace = self.thinned > seq
        return replace, [[p.x, *p.values] for p in self.points if replace or p.seq > seq]


_WAITING = Condition("queued")
_NOTHING = Series()


@dataclass(frozen=True, slots=True)
class Opinion:
    """A network's answer for one image."""

    label: int
    confidence: float  # 0..1


@dataclass(frozen=True, slots=True)
class Row:
    """One round's samples: the first image of every class, and the answers of teacher and student."""

    seq: int
    round: int
    images: NDArray[np.uint8]  # (k, c, h, w)
    labels: tuple[int, ...]
    teacher: tuple[Opinion, ...]
    student: tuple[Opinion, ...]
    label_accuracy: float  # share of the whole batch, 0..1
    pooled: bool
    samples: Dots  # the whole batch on the map, by the teacher's features
    at_home: float | None  # share of it that lies nearest to its own class's anchor, in the table's space


@dataclass(frozen=True, slots=True)
class StepPreview:
    """The generator's latest step. A run that is loaded from the disk has no images of it."""

    seq: int
    round: int
    step: int
    steps: int
    images: NDArray[np.uint8]  # (p, c, h, w), p = 0 where none are kept
    label_accuracy: float


@dataclass(frozen=True, slots=True)
class Cloud:
    """Dots of the map that move together, and their original points in the table's space."""

    seq: int
    dots: Dots
    points: NDArray[np.float32]  # (n, d)


# The numbers of a point of diversity: three scales, each of the samples, of noise and of real images in their place.
DIVERSITY = (
    "label_accuracy",
    "within",  # Vendi score, mean over classes
    "within_noise",
    "within_real",
    "across",  # cosine distance to the nearest image of an earlier round, mean over classes
    "across_noise",
    "across_real",
    "pool",  # Vendi score, mean over classes
    "pool_noise",
    "pool_real",
    "labels_kept",
    "seconds",
)

# Each curve of a view, and the numbers of its points after x. A curve is a field of `View` with the same name; the
# updates, the recordings and the page's scripts read this table.
CURVES = {
    "losses": ("ce", "bn", "adversarial", "label_accuracy"),
    "learning": ("loss", "agreement"),
    "measures": ("accuracy", "agreement", "seconds"),
    "diversity": DIVERSITY,
    "opinions": ("second_opinion", "judge_confidence", "seconds"),
}


@dataclass(frozen=True, slots=True)
class ByClass:
    """The newest diversity, class by class; a scale that has nothing yet is empty."""

    seq: int
    round: int
    within: tuple[float, ...]  # Vendi score
    across: tuple[float, ...]  # cosine distance to the nearest image of an earlier round
    pool: tuple[float, ...]  # Vendi score
    label_accuracies: tuple[float, ...]  # 0..1
    named: tuple[float, ...] = ()  # by the judge, 0..1


@dataclass(frozen=True, slots=True)
class View:
    """Everything a page needs of a run. `seq` counts what was folded; parts carry the `seq` at which they changed."""

    seq: int = 0
    begun: int = 0  # the `seq` at which the view was emptied; readers must start again then
    condition: Condition = _WAITING
    started: RunStarted | None = None
    started_seq: int = 0
    atlas: Atlas | None = None
    round: int = 0
    seconds: float = 0.0
    phase: Phase = ""
    story: str = ""
    reason: str = ""  # why the run ended by itself or was stopped
    failure: str = ""  # one sentence, when this arm cannot go on
    notes: tuple[str, ...] = ()
    ends: tuple[float, ...] = ()  # seconds at the ends of the latest rounds
    rounds_done: int = 0
    work: float = 0.0  # 10⁹ multiply-adds until the latest end; 0 where the config does not limit them
    losses: Series = _NOTHING
    learning: Series = _NOTHING
    measures: Series = _NOTHING
    teacher_accuracy: float | None = None
    thinned: bool = False  # whether the student began with weights of its teacher
    redraws: tuple[tuple[int, int, str], ...] = ()  # seq, round, what
    changes: tuple[tuple[int, int, str], ...] = ()  # seq, round, what was changed on the way
    diversity: Series = _NOTHING
    opinions: Series = _NOTHING
    by_class: ByClass | None = None
    rows: tuple[Row, ...] = ()  # oldest first
    making: StepPreview | None = None
    pool_size: int = 0
    pool_capacity: int = 0
    outputs: Cloud | None = None
    samples: Cloud | None = None
    answers: Answers | None = None  # on test images, where there are any


def reset_view(view: View) -> View:
    """An empty view that continues the count of this one: for the next seed, or to fold a snapshot."""
    return View(seq=view.seq + 1, begun=view.seq + 1, condition=view.condition)


def failed_arms(views: Sequence[View]) -> list[int]:
    """The numbers of the arms that have failed."""
    return [arm for arm, view in enumerate(views) if view.failure]
