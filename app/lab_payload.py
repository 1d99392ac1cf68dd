"""What travels to whoever looks at several arms: their news in one answer, and what came of them so far."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from app.live_run import LiveRun
from app.payload import payload
from app.plans import Plan
from app.results import Result, Results, rows, sentences

PARTS = ("run", "measures", "diversity", "redraws", "changes", "rows")  # of an arm's news; nobody looks at the others


def lab_payload(run: LiveRun, since: Sequence[int]) -> dict[str, Any] | None:
    """What came of the arms so far, and of each what is new since its own `since`; None when nothing is.

    `seq` holds the arms' own ones, joined by commas.
    """
    views, results = run.refreshed()
    news = [payload(view, seq, PARTS) for view, seq in zip(views, since, strict=True)]
    if not any(news):
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
        "news": news,
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
