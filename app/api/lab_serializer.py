"""The update of a lab: the news of all its arms in one answer, and their results so far."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from app.run_state.lab_results import counted_seeds, means, rows, sentences
from app.run_state.model import DIVERSITY, View, failed_arms
from app.run_state.serializer import payload
from app.runs.live_run import LiveRun
from app.runs.plan import budget
from app.runs.wait_estimate import share_done, work_left

# The parts of an arm's update that a lab shows.
PARTS = ("run", "redraws", "changes", "rows")
SCALES = ("within", "across", "pool")  # of diversity


def lab_payload(run: LiveRun, since: Sequence[int]) -> dict[str, Any] | None:
    """The results of the arms so far, and each arm's news since its own `since`. None when nothing is new.

    `seq` holds the `seq` of each arm, joined by commas. `means` and `ranges` are over the seeds in `counted`, with
    several seeds; `ranges` comes only when it is new.
    """
    views, results = run.refreshed()
    news = [payload(view, seq, PARTS) for view, seq in zip(views, since, strict=True)]
    if not any(news):
        return None
    for arm, (one, view) in enumerate(zip(news, views, strict=True)):
        if one is not None:
            one["curve"] = run.curve(arm, 0 if one["anew"] else since[arm], view.seq)
    plan = run.plan
    titles = [arm.title for arm in plan.arms]
    failed = failed_arms(views)
    several = len(plan.seeds) > 1
    counted = counted_seeds(results, len(titles), failed) if several else []
    return {
        "seq": ",".join(str(view.seq) for view in views),
        "state": views[0].condition.state,
        "ahead": views[0].condition.ahead,
        "wait": views[0].condition.wait,
        "error": views[0].condition.error,
        "kept": views[0].condition.kept,
        "title": plan.title,
        "question": plan.question,
        "arms": titles,
        "seeds": list(plan.every_seed),
        "budget": budget(plan.arms[0].config),
        "done": round(share_done(plan, results, failed), 3),
        "left": work_left(plan, results, failed),
        "results": rows(results),
        "sentences": sentences(results, titles, failed, plan.thinned) if results else [],
        "plan": plan.form(),
        "counted": counted,
        "means": means(results, len(titles), counted) if counted else [],
        "ranges": run.ranges(since),
        "by": run.by,
        "limit": plan.arms[0].config.work or plan.arms[0].config.seconds,
        "references": _references(views),
        "news": news,
    }


def _references(views: Sequence[View]) -> dict[str, list[float | None]]:
    """What real test images and noise come to at each scale: [real, noise], the mean of the arms that have it."""
    return {scale: [_newest(views, f"{scale}_{kind}") for kind in ("real", "noise")] for scale in SCALES}


def _newest(views: Sequence[View], column: str) -> float | None:
    place = DIVERSITY.index(column)
    found = [
        next((value for p in reversed(view.diversity.points) if (value := p.values[place]) is not None), None)
        for view in views
    ]
    newest = [value for value in found if value is not None]
    return round(fmean(newest), 4) if newest else None
