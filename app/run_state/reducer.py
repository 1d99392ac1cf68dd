"""A pure fold of events into a view: the same events give the same view to every viewer, early or late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.content import messages
from app.run_state.answers import answered, tested
from app.run_state.embedding_map import Atlas, Dots
from app.run_state.model import ByClass, Cloud, Condition, Opinion, Point, Row, StepPreview, View, reset_view
from nayer.events import (
    DiversityMeasured,
    Evaluated,
    EvaluatedAtStart,
    Event,
    GeneratorStep,
    ImagesTested,
    LayerRedrawn,
    Note,
    PolicyChanged,
    RoundFinished,
    RoundSynthesized,
    RunFailed,
    RunFinished,
    RunStarted,
    SecondOpinion,
    StudentAnswered,
    StudentStep,
)

ROWS = 24  # rounds of samples that are kept
PACE_OVER = 6  # number of rounds for the estimate of the time left


def fold(view: View, happened: Iterable[Event | Condition], *, mapped: bool = True) -> View:
    """The view after these events, in order.

    `mapped`: whether noisy-layer outputs and samples are placed on the map, which is most of the work. Later events
    of a long list replace them: see `last_on_map`.
    """
    for one in happened:
        view = _after(view, one, mapped)
    return view


def last_on_map(events: Sequence[Event]) -> set[int]:
    """The places in `events` of those whose outputs or samples are still on the map after all of them."""
    left: Counter[tuple[int, type[Event]]] = Counter()  # by arm
    found = set()
    for place in reversed(range(len(events))):
        key = events[place].arm, type(events[place])
        if isinstance(events[place], (LayerRedrawn, RoundSynthesized)) and left[key] < ROWS:
            left[key] += 1 if isinstance(events[place], RoundSynthesized) else ROWS
            found.add(place)
    return found


def _after(view: View, one: Event | Condition, mapped: bool) -> View:
    if isinstance(one, Condition):
        return view if one == view.condition else replace(view, seq=view.seq + 1, condition=one)
    seq = view.seq + 1
    config = view.started.config if view.started else getattr(one, "config", {})
    story = messages.narrate(one, config) or view.story
    return _folded(replace(view, seq=seq, round=one.round, seconds=one.seconds, story=story), one, mapped)


def _folded(view: View, event: Event, mapped: bool) -> View:
    seq = view.seq
    match event:
        case RunStarted():
            if view.started is not None:  # an arm starts again with its next seed
                view = replace(reset_view(view), round=event.round, seconds=event.seconds, story=view.story)
            return replace(view, started=event, started_seq=view.seq, atlas=Atlas.of(event.embeddings))
        case Note(message=message):
            return replace(view, notes=(*view.notes, message)[-8:])
        case LayerRedrawn():
            redraws = (*view.redraws, (seq, event.round, event.what))[-2000:]
            outputs = _outputs(view, event) if mapped else view.outputs
            return replace(view, phase="redraw", redraws=redraws, outputs=outputs)
        case GeneratorStep():
            return _generator_step(view, event)
        case RoundSynthesized():
            return _synthesized(view, event, mapped)
        case DiversityMeasured():
            return replace(view, diversity=view.diversity.add(_diversity(seq, event)), by_class=_by_class(seq, event))
        case SecondOpinion():
            point = Point(seq, event.round + 1.0, (event.named_share, event.confidence_mean, event.seconds))
            by_class = view.by_class
            if by_class is not None and by_class.round == event.round:
                by_class = replace(by_class, seq=seq, named=_short(event.named))
            return replace(view, opinions=view.opinions.add(point), by_class=by_class)
        case PolicyChanged():
            return _changed(view, event)
        case StudentStep():
            point = Point(seq, event.round + (event.step + 1) / event.steps, (event.loss, event.agreement))
            return replace(view, phase="student", learning=view.learning.add(point))
        case Evaluated():
            x = 0.0 if isinstance(event, EvaluatedAtStart) else event.round + 1.0
            point = Point(seq, x, (event.accuracy, event.agreement, event.seconds))
            teacher = view.teacher_accuracy if event.teacher_accuracy is None else event.teacher_accuracy
            thinned = view.thinned or (isinstance(event, EvaluatedAtStart) and event.thinned)
            measures = view.measures.add(point)
            return replace(view, phase="measure", measures=measures, teacher_accuracy=teacher, thinned=thinned)
        case ImagesTested():
            return replace(view, answers=tested(seq, event, view.answers))
        case StudentAnswered():
            return replace(view, answers=answered(seq, event, view.answers))
        case RoundFinished():
            ends = (*view.ends, event.seconds)[-PACE_OVER:]
            return replace(view, ends=ends, rounds_done=event.round + 1, work=event.work)
        case RunFinished(reason=reason):
            return replace(view, phase="", reason=reason, making=None)
        case RunFailed(message=message):
            return replace(view, phase="", making=None, failure=message)
        case _:
            return view


def _changed(view: View, event: PolicyChanged) -> View:
    """Adds a mark on every curve, and gives the run its changed settings from now on."""
    changes = (*view.changes, (view.seq, event.round, messages.changed(event)))[-200:]
    if view.started is None:
        return replace(view, changes=changes)
    config = view.started.config | {name: after for name, (_, after) in event.changes.items()}
    started = replace(view.started, config=config, rounds=config["rounds"])
    return replace(view, changes=changes, started=started, started_seq=view.seq)


def _diversity(seq: int, event: DiversityMeasured) -> Point:
    values = (
        event.samples.within.label_accuracy,
        *event.means,
        event.labels_kept,
        event.seconds,
    )  # as `model.DIVERSITY`
    return Point(seq, event.round + 1.0, values)


def _by_class(seq: int, event: DiversityMeasured) -> ByClass:
    within, across, pool = event.samples.within, event.samples.across, event.samples.pool
    return ByClass(
        seq=seq,
        round=event.round,
        within=_short(within.vendi),
        across=_short(across.nearest) if across else (),
        pool=_short(pool.vendi) if pool else (),
        label_accuracies=_short(within.label_accuracies),
    )


def _short(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 3) for value in values)


def _outputs(view: View, event: LayerRedrawn) -> Cloud | None:
    if view.atlas is None:
        return None
    sets, classes, _ = event.outputs.shape
    points = view.atlas.place_outputs(event.outputs)
    return Cloud(view.seq, view.atlas.place(points, np.tile(np.arange(classes), sets)), points)


def _generator_step(view: View, event: GeneratorStep) -> View:
    x = event.round + (event.step + 1) / event.steps
    point = Point(view.seq, x, (event.ce, event.bn, event.adversarial, event.label_accuracy))
    making = StepPreview(view.seq, event.round, event.step, event.steps, event.preview, event.label_accuracy)
    return replace(view, phase="generator", losses=view.losses.add(point), making=making)


def _synthesized(view: View, event: RoundSynthesized, mapped: bool) -> View:
    samples = at_home = None
    if view.atlas is not None and mapped:
        points = view.atlas.place_features(event.features, event.labels)
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


def _row(view: View, event: RoundSynthesized, samples: Dots, at_home: float | None) -> Row:
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
        label_accuracy=event.label_accuracy,
        pooled=event.pooled,
        samples=samples,
        at_home=at_home,
    )
