"""The update of a lab: the news of all its arms in one answer, and their results so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.run_state.lab_results import rows, sentences
from app.run_state.serializer import payload
from app.runs.live_run import LiveRun
from app.runs.wait_estimate import share_done, work_left
from nayer.config import Config

# The parts of an arm's update that a lab shows.
PARTS = ("run", "measures", "diversity", "opinions", "redraws", "changes", "rows")


def lab_payload(run: LiveRun, since: Sequence[int]) -> dict[str, Any] | None:
    """The results of the arms so far, and each arm's news since its own `since`. None when nothing is new.

    `seq` holds the `seq` of each arm, joined by commas.
    """
    views, results = run.refreshed()
    news = [payload(view, seq, PARTS) for view, seq in zip(views, since, strict=True)]
    if not any(news):
        return None
    plan = run.plan
    titles = [arm.title for arm in plan.arms]
    failed = [arm for arm, view in enumerate(views) if view.failure]
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
        "budget": _budget(plan.arms[0].config),
        "done": round(share_done(plan, results, failed), 3),
        "left": work_left(plan, results, failed),
        "results": rows(results),
        "sentences": sentences(results, titles, failed) if results else [],
        "news": news,
    }


def _budget(config: Config) -> str:
    """The budget of an arm, in words. Labs of earlier versions have a limit in seconds."""
    return f"{config.work:,g} billion multiply-adds" if config.work else f"{config.seconds:g} s"
