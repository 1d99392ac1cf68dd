"""Whose a run is."""

from __future__ import annotations

import hmac

from app.runs.live_run import LiveRun, hashed
from nayer.errors import NayerError


class NotYours(NayerError):
    """A command came with another visitor's token, or none."""


def check_owner(run: LiveRun, token: str) -> None:
    """NotYours for anybody but the run's owner."""
    if not hmac.compare_digest(run.owner_hash, hashed(token)):
        raise NotYours(f"run={run.id[:40]!r} belongs to somebody else; commands need the token it was started with.")
