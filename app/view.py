"""What is shown, as a pure fold of events: the same events give the same view, whoever looks and whenever they join."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app import text
from app.mapping import Atlas, Dots
from app.series import Point, Series
from nayer.events import (
    DiversityMeasured,
    Evaluated,
    Event,
    GeneratorStep,
    LayerRedrawn,
    Note,
    PolicyChanged,
    RoundFinished,
    RoundSynthesised,
    RunFailed,
    RunFinished,
    RunStarted,
    StudentStep,
)

ROWS = 24  # rounds of samples that are kept
PACE_OVER = 6  # rounds the time left is judged by
Phase = Literal["", "redraw", "generator", "pool", "student", "measure"]


@dataclass(frozen=True, slots=True)
class Condition:
    """How the run stands from outside: no event of the algorithm, but folded like one, so that readers hear of it."""

    state: str  # queued, running, paused, finished, stopped, failed, interrupted
    ahead: int = 0  # runs that come first
    error: str = ""  # one sentence, when failed
    pace: float = 0.0  # seconds an event, in slow motion
    kept: str = ""  # one sentence, where it may be lost with the process
    wait: float | None = None  # seconds until a place falls free, about, while queued


_WAITING = Condition("queued")
_NOTHING = Series()


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a network says of one image."""

    label: int
    confidence: float  # 0..1


@dataclass(frozen=True, slots=True)
class Row:
    """One round's samples: the first image of every class, and what teacher and student make of it."""

    seq: int
    round: int
    images: NDArray[np.uint8]  # (k, c, h, w)
    labels: tuple[int, ...]
    teacher: tuple[Opinion, ...]
    student: tuple[Opinion, ...]
    label_hit: float  # share of the whole batch, 0..1
    pooled: bool
    samples: Dots  # the whole batch on the map, by the teacher's features
    at_home: float | None  # share of it that lies nearest to its own class's anchor, in the table's space


@dataclass(frozen=True, slots=True)
class Making:
    """The images on the easel: the generator's latest step."""

    seq: int
    round: int
    step: int
    steps: int
    images: NDArray[np.uint8]  # (p, c, h, w)
    label_hit: float


@dataclass(frozen=True, slots=True)
class Cloud:
    """Dots of the map that move together, and the points in the table's space they come from."""

    seq: int
    dots: Dots
    points: NDArray[np.float32]  # (n, d)


# The numbers of a diversity's point: three scales, each of the samples, of noise and of real images in their place.
DIVERSITY = (
    "label_hit",
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


@dataclass(frozen=True, slots=True)
class ByClass:
    """The newest diversity, class by class; a scale that has nothing yet is empty."""

    seq: int
    round: int
    within: tuple[float, ...]  # Vendi score
    across: tuple[float, ...]  # cosine distance to the nearest image of an earlier round
    pool: tuple[float, ...]  # Vendi score
    label_hits: tuple[float, ...]  # 0..1


@dataclass(frozen=True, slots=True)
class View:
    """Everything a page needs of a run. `seq` counts what was folded; parts carry the `seq` at which they changed."""

    seq: int = 0
    begun: int = 0  # the `seq` at which it was emptied, so that readers must begin anew too
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
    losses: Series = _NOTHING  # x, ce, bn, adversarial, label_hit
    learning: Series = _NOTHING  # x, loss, agreement
    measures: Series = _NOTHING  # x, accuracy, agreement, seconds
    teacher_accuracy: float | None = None
    redraws: tuple[tuple[int, int, str], ...] = ()  # seq, round, what
    changes: tuple[tuple[int, int, str], ...] = ()  # seq, round, what was changed on the way
    diversity: Series = _NOTHING  # x, then `DIVERSITY`
    by_class: ByClass | None = None
    rows: tuple[Row, ...] = ()  # oldest first
    making: Making | None = None
    pool_size: int = 0
    pool_capacity: int = 0
    outputs: Cloud | None = None
    samples: Cloud | None = None


def fold(view: View, happened: Iterable[Event | Condition]) -> View:
    """The view after these events, in order."""
    for one in happened:
        view = _after(view, one)
    return view


def anew(view: View) -> View:
    """An empty view that goes on counting where this one is: for the next seed, or to fold a snapshot."""
    return View(seq=view.seq + 1, begun=view.seq + 1, condition=view.condition)


def _after(view: View, one: Event | Condition) -> View:
    if isinstance(one, Condition):
        return view if one == view.condition else replace(view, seq=view.seq + 1, condition=one)
    seq = view.seq + 1
    config = view.started.config if view.started else getattr(one, "config", {})
    story = text.narrate(one, config) or view.story
    return _told(replace(view, seq=seq, round=one.round, seconds=one.seconds, story=story), one)


def _told(view: View, event: Event) -> View:
    seq = view.seq
    match event:
        case RunStarted():
            if view.started is not None:  # an arm begins again with its next seed
                view = replace(anew(view), round=event.round, seconds=event.seconds, story=view.story)
            return replace(view, started=event, started_seq=view.seq, atlas=Atlas.of(event.embeddings))
        case Note(message=message):
            return replace(view, notes=(*view.notes, message)[-8:])
        case LayerRedrawn():
            redraws = (*view.redraws, (seq, event.round, event.what))[-2000:]
            return replace(view, phase="redraw", redraws=redraws, outputs=_outputs(view, event))
        case GeneratorStep():
            return _generator_step(view, event)
        case RoundSynthesised():
            return _synthesised(view, event)
        case DiversityMeasured():
            return replace(view, diversity=view.diversity.add(_diversity(seq, event)), by_class=_by_class(seq, event))
        case PolicyChanged():
            return _changed(view, event)
        case StudentStep():
            point = Point(seq, event.round + (event.step + 1) / event.steps, (event.loss, event.agreement))
            return replace(view, phase="student", learning=view.learning.add(point))
        case Evaluated():
            point = Point(seq, event.round + 1.0, (event.accuracy, event.agreement, event.seconds))
            teacher = view.teacher_accuracy if event.teacher_accuracy is None else event.teacher_accuracy
            return replace(view, phase="measure", measures=view.measures.add(point), teacher_accuracy=teacher)
        case RoundFinished():
            return replace(view, ends=(*view.ends, event.seconds)[-PACE_OVER:], rounds_done=event.round + 1)
        case RunFinished(reason=reason):
            return replace(view, phase="", reason=reason, making=None)
        case RunFailed(message=message):
            return replace(view, phase="", making=None, failure=message)
        case _:
            return view


def _changed(view: View, event: PolicyChanged) -> View:
    """A mark on every curve, and a run that is from now on what it was changed to."""
    changes = (*view.changes, (view.seq, event.round, text.changed(event)))[-200:]
    if view.started is None:
        return replace(view, changes=changes)
    config = view.started.config | {name: after for name, (_, after) in event.changes.items()}
    started = replace(view.started, config=config, rounds=config["rounds"])
    return replace(view, changes=changes, started=started, started_seq=view.seq)


def _diversity(seq: int, event: DiversityMeasured) -> Point:
    scales = (event.samples, event.noise, event.real)
    values: list[float | None] = [event.samples.within.label_hit]
    values += [None if scale is None else scale.within.vendi_mean for scale in scales]
    values += [None if scale is None or scale.across is None else scale.across.nearest_mean for scale in scales]
    values += [None if scale is None or scale.pool is None else scale.pool.vendi_mean for scale in scales]
    return Point(seq, event.round + 1.0, (*values, event.labels_kept, event.seconds))


def _by_class(seq: int, event: DiversityMeasured) -> ByClass:
    within, across, pool = event.samples.within, event.samples.across, event.samples.pool

    def short(values: NDArray[np.float64]) -> tuple[float, ...]:
        return tuple(round(float(value), 3) for value in values)

    return ByClass(
        seq=seq,
        round=event.round,
        within=short(within.vendi),
        across=short(across.nearest) if across else (),
        pool=short(pool.vendi) if pool else (),
        label_hits=short(within.label_hits),
    )


def _outputs(view: View, event: LayerRedrawn) -> Cloud | None:
    if view.atlas is None:
        return None
    sets, classes, _ = event.outputs.shape
    points = view.atlas.lay_outputs(event.outputs)
    return Cloud(view.seq, view.atlas.place(points, np.tile(np.arange(classes), sets)), points)


def _generator_step(view: View, event: GeneratorStep) -> View:
    x = event.round + (event.step + 1) / event.steps
    point = Point(view.seq, x, (event.ce, event.bn, event.adversarial, event.label_hit))
    making = Making(view.seq, event.round, event.step, event.steps, event.preview, event.label_hit)
    return replace(view, phase="generator", losses=view.losses.add(point), making=making)


def _synthesised(view: View, event: RoundSynthesised) -> View:
    samples = at_home = None
    if view.atlas is not None:
        points = view.atlas.lay_features(event.features, event.labels)
        samples = Cloud(view.seq, view.atlas.place(points, event.labels), points)
        at_home = round(view.atlas.at_home(points, event.labels), 3)
    row = _row(view, event, samples.dots if samples else (), at_home)
    return replace(
        view,
        phase="pool",
        rows=(*view.rows, row)[-ROWS:],
        making=None,
        pool_size=event.pool_size,
        pool_capacity=event.pool_capacity,
        samples=samples,
    )


def _row(view: View, event: RoundSynthesised, samples: Dots, at_home: float | None) -> Row:
    classes = len(view.started.classes) if view.started else int(event.labels.max()) + 1
    _, firsts = np.unique(event.labels, return_index=True)  # the first image of every class, in class order
    firsts = firsts[:classes]

    def opinions(labels: NDArray[np.int64], confidence: NDArray[np.float32]) -> tuple[Opinion, ...]:
        return tuple(Opinion(int(labels[i]), round(float(confidence[i]), 3)) for i in firsts)

    return Row(
        seq=view.seq,
        round=event.round,
        images=event.images[firsts],
        labels=tuple(int(event.labels[i]) for i in firsts),
        teacher=opinions(event.teacher_labels, event.teacher_confidence),
        student=opinions(event.student_labels, event.student_confidence),
        label_hit=event.label_hit,
        pooled=event.pooled,
        samples=samples,
        at_home=at_home,
    )
