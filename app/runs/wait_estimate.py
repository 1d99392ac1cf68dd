"""Estimates the wait in the queue from the time that running runs have left and the usual length of a run."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence

from app.run_state.lab_results import Result, Results
from app.run_state.model import failed_arms
from app.run_state.serializer import seconds_left
from app.runs.live_run import LiveRun
from app.runs.plan import Plan
from nayer.config import Config


def left(run: LiveRun) -> float | None:
    """Seconds that an active run still holds its place, from its last view; None while unknown."""
    if len(run.plan.arms) > 1 or run.plan.seeds:
        return work_left(run.plan, run.results, failed_arms(run.views))
    return seconds_left(run.views[0])


def work_left(plan: Plan, results: Results, failed: Collection[int]) -> float | None:
    """Seconds of their own work that the arms still need at their pace so far, all seeds together.

    An arm that has not begun counts as long as the others; None while no arm has a pace.
    """
    whole: list[float] = []  # seconds of a whole run, if its pace is known
    left, unknown = 0.0, 0
    for config, result, is_over in _runs(plan, results, failed):
        share = _share(config, result)
        unpaced = config.work > 0 and not result.work  # work is counted at the end of a round
        if is_over or not share or unpaced:
            unknown += not is_over
            continue
        whole.append(result.seconds / share)
        left += max(0.0, whole[-1] - result.seconds)
    if unknown and not whole:
        return None
    return round(left + (unknown * sum(whole) / len(whole) if unknown else 0.0), 1)


def share_done(plan: Plan, results: Results, failed: Collection[int]) -> float:
    """How much of the budgets of all arms and seeds is used, 0 to 1."""
    shares = [1.0 if is_over else _share(config, result) for config, result, is_over in _runs(plan, results, failed)]
    return sum(shares) / len(shares)


def _runs(plan: Plan, results: Results, failed: Collection[int]) -> Iterator[tuple[Config, Result, bool]]:
    """Every arm with every seed, and whether it is over."""
    for number, arm in enumerate(plan.arms):
        for seed in plan.every_seed:
            result = results.get((number, seed), Result(number, seed))
            yield arm.config, result, result.done or number in failed


def _share(config: Config, result: Result) -> float:
    """How much of the nearest of its limits a run has used."""
    by_work = result.work / config.work if config.work else 0.0
    by_time = result.seconds / config.seconds if config.seconds else 0.0
    return min(1.0, max(by_work, by_time, result.rounds / config.rounds))


def estimate(lefts: Sequence[float | None], took: Collection[float], before: int) -> float | None:
    """Seconds until a place is free for a run with `before` others in front of it; None if unknown.

    `lefts`: seconds left of the active runs. `took`: seconds of the latest runs; their median is the usual length.
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
    """The seconds in coarse steps, so that they do not change at every look: 5 s, then 30 s, then minutes."""
    if seconds is None:
        return None
    step = 5.0 if seconds < 60 else 30.0 if seconds < 300 else 60.0
    return max(step, round(seconds / step) * step)
