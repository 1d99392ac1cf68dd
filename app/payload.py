"""What travels to the page: a small JSON object with what is new since the reader's last `seq`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app import text
from app.live_run import LiveRun
from app.mapping import Dots
from app.plans import Plan
from app.results import Result, Results, rows, sentences
from app.series import Series
from app.view import Cloud, Row, View
from nayer.brought import PREFIX
from nayer.repeating import command_line, known, words

NOT_IN_A_LAB = ("losses", "learning", "making", "outputs", "samples", "by_class")  # nobody looks at them there
BY_CLASS = ("round", "within", "across", "pool", "label_hits")
_FIGURES = 5  # significant digits; a chart shows three


def payload(view: View, since: int) -> dict[str, Any] | None:
    """JSON-ready news since `since`, or None when there is none; 0 asks for everything.

    With `anew` they replace all that the reader has.
    """
    if since >= view.seq:
        return None
    news: dict[str, Any] = {"seq": view.seq, "anew": view.begun > since} | _standing(view)
    if view.started_seq > since:
        news["run"] = _facts(view)
    for name in ("losses", "learning", "measures", "diversity"):
        news |= _curve(name, getattr(view, name), since)
    redraws = [[round_, what] for seq, round_, what in view.redraws if seq > since]
    if redraws:
        news["redraws"] = redraws
    changes = [[round_, what] for seq, round_, what in view.changes if seq > since]
    if changes:
        news["changes"] = changes
    if view.by_class is not None and view.by_class.seq > since:
        news["by_class"] = {name: getattr(view.by_class, name) for name in BY_CLASS}
    rows = [_row(row) for row in view.rows if row.seq > since]
    if rows:
        news["rows"] = rows
    if view.making is not None:
        making = view.making
        news["making"] = {
            "frame": making.seq,
            "round": making.round,
            "step": making.step,
            "steps": making.steps,
            "count": len(making.images),
            "label_hit": _short(making.label_hit),
        }
    for name, cloud in (("outputs", view.outputs), ("samples", view.samples)):
        if cloud is not None and cloud.seq > since:
            news[name] = _flat(cloud)
    return news


def lab_payload(run: LiveRun, since: Sequence[int]) -> dict[str, Any] | None:
    """What came of the arms so far, and of each what is new since its own `since`; None when nothing is.

    `seq` holds the arms' own ones, joined by commas.
    """
    views, results = run.refreshed()
    told = [payload(view, seq) for view, seq in zip(views, since, strict=True)]
    if not any(told):
        return None
    plan, seeds = run.plan, _seeds(run.plan)
    titles = [arm.title for arm in plan.arms]
    failed = [arm for arm, view in enumerate(views) if view.failure]
    return {
        "seq": ",".join(str(view.seq) for view in views),
        "state": views[0].condition.state,
        "ahead": views[0].condition.ahead,
        "wait": views[0].condition.wait,
        "error": views[0].condition.error,
        "title": plan.title,
        "question": plan.question,
        "arms": titles,
        "seeds": list(seeds),
        "budget": plan.arms[0].config.seconds,
        "left": work_left(plan, results, failed),
        "results": rows(results),
        "sentences": sentences(results, titles, failed) if results else [],
        "news": [None if news is None else {k: v for k, v in news.items() if k not in NOT_IN_A_LAB} for news in told],
    }


def _seeds(plan: Plan) -> tuple[int, ...]:
    return plan.seeds or (plan.arms[0].config.seed,)


def work_left(plan: Plan, results: Results, failed: Collection[int]) -> float:
    """Seconds of their own work that the arms still have, all seeds together."""
    left = 0.0
    for number, arm in enumerate(plan.arms):
        for seed in _seeds(plan):
            result = results.get((number, seed), Result(number, seed))
            if not result.done and number not in failed:
                left += max(0.0, arm.config.seconds - result.seconds)
    return round(left, 1)


def rounds(view: View, since: int) -> dict[str, Any] | None:
    """Where the samples of the newest rounds fall on the run's map: what is new since `since`, or None."""
    if since >= view.seq:
        return None
    news: dict[str, Any] = {"seq": view.seq, "state": view.condition.state}
    if view.started_seq > since and view.started is not None and view.atlas is not None:
        started = view.started
        news["run"] = {
            "teacher": _called(started.teacher),
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
        "pool": [view.pool_size, view.pool_capacity],
    }


def seconds_left(view: View) -> float | None:
    """From the pace of the latest rounds and the run's own limits; None while there is nothing to judge by."""
    if view.started is None or not view.ends:
        return None
    remaining = view.started.rounds - view.rounds_done
    a_round = (
        view.ends[-1] / view.rounds_done
        if len(view.ends) == 1
        else (view.ends[-1] - view.ends[0]) / (len(view.ends) - 1)
    )
    left = a_round * remaining - (view.seconds - view.ends[-1])
    limit = float(view.started.config.get("seconds", 0.0))
    if limit > 0:
        left = min(left, limit - view.seconds)
    return round(max(left, 0.0), 1)


def _facts(view: View) -> dict[str, Any]:
    started, atlas = view.started, view.atlas
    assert started is not None
    assert atlas is not None  # both come with the same event
    return {
        "teacher": _called(started.teacher),
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


def _called(teacher: str) -> str:
    """What a teacher is called in front of people: the name of one that was brought says nothing."""
    return text.BROUGHT if teacher.startswith(PREFIX) else teacher


def _repeat(config: Mapping[str, object]) -> dict[str, Any]:
    """What repeats the run: a command line, and the words of an address."""
    wanted = known(config)
    return {"command": command_line(wanted), "words": words(wanted)}


def _curve(name: str, series: Series, since: int) -> dict[str, Any]:
    replaces, points = series.since(since)
    if not points:
        return {}
    short = [[None if v is None else _short(v) for v in point] for point in points]
    return {name: {"anew": replaces, "points": short}}


def _row(row: Row) -> dict[str, Any]:
    return {
        "frame": row.seq,
        "round": row.round,
        "labels": list(row.labels),
        "teacher": [[o.label, o.confidence] for o in row.teacher],
        "student": [[o.label, o.confidence] for o in row.student],
        "label_hit": _short(row.label_hit),
        "pooled": row.pooled,
    }


def _flat(cloud: Cloud) -> list[list[float]]:
    return _dots(cloud.dots)


def _dots(dots: Dots) -> list[list[float]]:
    return [[x, y, label] for x, y, label in dots]


def _short(value: float) -> float | None:
    return float(f"{value:.{_FIGURES}g}") if math.isfinite(value) else None
