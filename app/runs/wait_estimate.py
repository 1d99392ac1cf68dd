"""Estimates the wait in the queue from the time that running runs have left and the usual length of a run."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence

from app.run_state.lab_results import Result, Results
from app.run_state.serializer import seconds_left
from app.runs.live_run import LiveRun
from app.runs.plan import Plan


def left(run: LiveRun) -> float | None:
    """Seconds that a running run still holds its place, as it was last looked at; None while nothing tells."""
    if len(run.plan.arms) > 1 or run.plan.seeds:
        failed = [arm for arm, view in enumerate(run.views) if view.failure]
        budgeted = all(arm.config.seconds > 0 for arm in run.plan.arms)
        return work_left(run.plan, run.results, failed) if budgeted else None
    return seconds_left(run.views[0])


def work_left(plan: Plan, results: Results, failed: Collection[int]) -> float:
    """Seconds of their own work that the arms still have, all seeds together."""
    left = 0.0
    for number, arm in enumerate(plan.arms):
        for seed in plan.every_seed:
            result = results.get((number, seed), Result(number, seed))
            if not result.done and number not in failed:
                left += max(0.0, arm.config.seconds - result.seconds)
    return round(left, 1)


def estimate(lefts: Sequence[float | None], took: Collection[float], before: int) -> float | None:
    """Seconds until a place falls free for whoever has `before` others in front; None where nothing tells.

    `lefts`: of the runs in their places. `took`: what the latest runs needed, of which the middle one counts as usual.
    """
    known = [seconds for seconds in lefts if seconds is not None]
    usual = sorted(took)[len(took) // 2] if took else max(known, default=None)
    if usual is None or not lefts:
        return None
    places = [usual if seconds is None else seconds for seconds in lefts]
    heapq.heapify(places)
    for _ in range(before):
        heapq.heapreplace(places, places[0] + usual)
    return places[0]


def rounded(seconds: float | None) -> float | None:
    """In steps a person can use, so that it does not change at every look: 5 s, then 30 s, then minutes."""
    if seconds is None:
        return None
    step = 5.0 if seconds < 60 else 30.0 if seconds < 300 else 60.0
    return max(step, round(seconds / step) * step)
