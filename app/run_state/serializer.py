"""The updates that the page gets: a small JSON object with the news since the reader's last `seq`."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from app.content import messages
from app.run_state.answers import answers_json
from app.run_state.embedding_map import Dots
from app.run_state.model import CURVES, Cloud, Row, Series, StepPreview, View
from nayer.common.extras import onnx_is_missing
from nayer.exports.reproduce import command_line, known, words
from nayer.runs.slow_motion import waits_in_round
from nayer.teachers.upload import PREFIX

BY_CLASS = ("round", "within", "across", "pool", "label_accuracies", "named")
Part = Callable[[View, int], Any]  # gives the news of a part since a `seq`
_FIGURES = 5  # significant digits; a chart shows three


def payload(view: View, since: int, parts: Collection[str] | None = None) -> dict[str, Any] | None:
    """JSON-ready news since `since`, or None when there is none; 0 asks for everything.

    With `anew` they replace all data of the reader. `parts`: names from PARTS; all of them if none are given.
    """
    if since >= view.seq:
        return None
    news: dict[str, Any] = {"seq": view.seq, "anew": view.begun > since} | _standing(view)
    for name in PARTS if parts is None else parts:
        part = PARTS[name](view, since)
        if part is not None:
            news[name] = part
    return news


def rounds(view: View, since: int) -> dict[str, Any] | None:
    """The news since `since` about the samples of the newest rounds on the run's map, or None."""
    if since >= view.seq:
        return None
    news: dict[str, Any] = {"seq": view.seq, "state": view.condition.state}
    if view.started_seq > since and view.started is not None and view.atlas is not None:
        started = view.started
        news["run"] = {
            "teacher": called(started.teacher),
            "latent": started.latent,
            "classes": list(started.classes),
            "width": int(started.embeddings.shape[1]),
            "anchors": _dots(view.atlas.anchors()),
        }
    fresh = [
        {"round": row.round, "at_home": row.at_home, "dots": _dots(row.samples)} for row in view.rows if row.seq > since
    ]
    if fresh:
        news["rounds"] = fresh
    return news


def answers(view: View, since: int) -> dict[str, Any] | None:
    """The news since `since` about the answers on test images, or None."""
    if since >= view.seq:
        return None
    news = {"seq": view.seq, "state": view.condition.state, "anew": view.begun > since}
    return news | answers_json(view.answers, since)


def _standing(view: View) -> dict[str, Any]:
    condition = view.condition
    return {
        "state": condition.state,
        "ahead": condition.ahead,
        "wait": condition.wait,
        "kept": condition.kept,
        "error": condition.error,
        "pace": condition.pace,
        "reason": view.reason,
        "failure": view.failure,
        "round": view.round,
        "rounds_done": view.rounds_done,
        "seconds": round(view.seconds, 1),
        "left": seconds_left(view),
        "phase": view.phase,
        "story": view.story,
        "notes": list(view.notes),
        "teacher_accuracy": view.teacher_accuracy,
        "thinned": view.thinned,
        "pool": [view.pool_size, view.pool_capacity],
    }


def seconds_left(view: View) -> float | None:
    """The time left, from the pace of the latest rounds and the run's own limits; None while it is unknown.

    In slow motion it contains the waits.
    """
    if view.started is None or not view.ends:
        return None
    remaining = view.started.rounds - view.rounds_done
    a_round = (
        view.ends[-1] / view.rounds_done
        if len(view.ends) == 1
        else (view.ends[-1] - view.ends[0]) / (len(view.ends) - 1)
    )
    left = a_round * remaining - (view.seconds - view.ends[-1])
    config = view.started.config
    limit, work = float(config.get("seconds", 0.0)), float(config.get("work", 0.0))
    if limit > 0:
        left = min(left, limit - view.seconds)
    if work > 0 and view.work > 0:
        left = min(left, view.ends[-1] * (work / view.work - 1.0) - (view.seconds - view.ends[-1]))
    left = max(left, 0.0)
    if view.condition.pace > 0:
        left += view.condition.pace * waits_in_round(config) * (left / a_round if a_round > 0 else remaining)
    return round(left, 1)


def _facts(view: View, since: int) -> dict[str, Any] | None:
    if view.started_seq <= since:
        return None
    started, atlas = view.started, view.atlas
    assert started is not None
    assert atlas is not None  # both come with the same event
    return {
        "teacher": called(started.teacher),
        "student": started.student,
        "classes": list(started.classes),
        "image_shape": list(started.image_shape),
        "rounds": started.rounds,
        "measured_on": started.measured_on,
        "latent": started.latent,
        "width": int(started.embeddings.shape[1]),
        "parameters": started.parameters,
        "config": started.config,
        "repeat": _repeat(started.config),
        "anchors": _dots(atlas.anchors()),
        "sketch": atlas.sketch(),
    }


def called(teacher: str) -> str:
    """The display name of a teacher: the internal name of an uploaded teacher has no meaning for people."""
    return messages.BROUGHT if teacher.startswith(PREFIX) else teacher


def _repeat(config: Mapping[str, object]) -> dict[str, Any]:
    """What repeats the run, a command line and the query of an address; and why it gives no ONNX file, or nothing."""
    wanted = known(config)
    return {"command": command_line(wanted), "words": words(wanted), "onnx": onnx_is_missing()}


def _curve(name: str) -> Part:
    def news(view: View, since: int) -> dict[str, Any] | None:
        series: Series = getattr(view, name)
        replaces, points = series.since(since)
        if not points:
            return None
        return {"anew": replaces, "points": [[None if v is None else _short(v) for v in point] for point in points]}

    return news


def _marks(name: str) -> Part:
    def news(view: View, since: int) -> list[list[Any]] | None:
        return [[round_, what] for seq, round_, what in getattr(view, name) if seq > since] or None

    return news


def _cloud(name: str) -> Part:
    def news(view: View, since: int) -> list[list[float]] | None:
        cloud: Cloud | None = getattr(view, name)
        return _dots(cloud.dots) if cloud is not None and cloud.seq > since else None

    return news


def _by_class(view: View, since: int) -> dict[str, Any] | None:
    if view.by_class is None or view.by_class.seq <= since:
        return None
    return {name: getattr(view.by_class, name) for name in BY_CLASS}


def _rows(view: View, since: int) -> list[dict[str, Any]] | None:
    return [_row(row) for row in view.rows if row.seq > since] or None


def _making(view: View, since: int) -> dict[str, Any] | None:
    if view.making is None or not len(view.making.images):
        return None
    return preview_facts(view.making)


def preview_facts(making: StepPreview) -> dict[str, Any]:
    """The facts about a generator step; `frame` is the number of its JPEG strip."""
    return {
        "frame": making.seq,
        "round": making.round,
        "step": making.step,
        "steps": making.steps,
        "count": len(making.images),
        "label_accuracy": _short(making.label_accuracy),
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "frame": row.seq,
        "round": row.round,
        "labels": list(row.labels),
        "teacher": [[o.label, o.confidence] for o in row.teacher],
        "student": [[o.label, o.confidence] for o in row.student],
        "label_accuracy": _short(row.label_accuracy),
        "pooled": row.pooled,
    }


def _dots(dots: Dots) -> list[list[float]]:
    return [[x, y, label] for x, y, label in dots]


def _short(value: float) -> float | None:
    return float(f"{value:.{_FIGURES}g}") if math.isfinite(value) else None


# The parts of an arm's view, and the function for the news of each: None when there is no news.
PARTS: Mapping[str, Part] = {
    "run": _facts,
    **{name: _curve(name) for name in CURVES},
    "redraws": _marks("redraws"),
    "changes": _marks("changes"),
    "by_class": _by_class,
    "rows": _rows,
    "making": _making,
    "outputs": _cloud("outputs"),
    "samples": _cloud("samples"),
}
