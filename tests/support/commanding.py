"""Commands of a run by the names that the page sends, for tests that choose among them."""

from __future__ import annotations

from typing import Any

from app.runs.live_run import LiveRun
from app.runs.manager import RunManager

_METHODS = {"pace": "set_pace"}


def command(registry: RunManager, run_id: str, token: str, name: str, *arguments: Any) -> LiveRun:
    """Sends a command of the run's owner, and returns the run."""
    if name in ("stop", "leave"):
        return getattr(registry, name)(run_id, token)  # type: ignore[no-any-return]
    return registry.command(run_id, token, getattr(LiveRun, _METHODS.get(name, name)), *arguments)
