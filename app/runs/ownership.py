"""Whose a run is, and what it does when its owner says so."""

from __future__ import annotations

import hmac
from typing import Any

from app.runs.live_run import LiveRun, hashed
from nayer.errors import ConfigError, NayerError


class NotYours(NayerError):
    """A command came with another visitor's token, or none."""


def check_owner(run: LiveRun, token: str) -> None:
    """NotYours for anybody but the run's owner."""
    if not hmac.compare_digest(run.owner_hash, hashed(token)):
        raise NotYours(f"run={run.id[:40]!r} belongs to someone else; a command needs the token of the run.")


def obey(run: LiveRun, command: str, *arguments: Any) -> None:
    """One of pause, resume, step, pace, change and burst. ConfigError for a change or a burst of one that has ended."""
    match command:
        case "pace":
            run.pace = arguments[0]
            run.session.set_pace(run.pace)
        case "change" | "burst":
            if run.ended:
                raise ConfigError("this run has ended and cannot change; start a new one.")
            run.ask(lambda source: getattr(source, command)(*arguments))
        case _:
            getattr(run.session, command)(*arguments)
