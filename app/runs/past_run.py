"""A run that is over, built from its events."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.runs.live_run import NO_OWNER, LiveRun, Source
from app.runs.plan import Plan
from nayer.errors import ConfigError
from nayer.events import Event
from nayer.runs.session import Session, State


def past_run(
    plan: Plan,
    events: Sequence[Event],
    run_id: str,
    *,
    owner_hash: str = NO_OWNER,
    began: float | None = None,
    state: State = "finished",
    error: str = "",
    warning: Callable[[], str] = lambda: "",
) -> LiveRun:
    """A run that is over, as it was after `events`: it answers everything that needs no networks."""
    session: Session[Source] = Session(_nothing_to_run)
    run = LiveRun(plan, "", session, run_id, owner_hash=owner_hash, began=began, waiting=False, warning=warning)
    run.restore_events(events)
    session.restore_events(events, state, error)
    return run


def _nothing_to_run() -> Source:
    raise ConfigError("this run has ended; start a new one.")
