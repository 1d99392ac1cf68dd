"""Checks that a command comes from the owner of a run."""

from __future__ import annotations

import hmac

from app.runs.live_run import LiveRun, hashed
from nayer.errors import NayerError


class NotYours(NayerError):
    """A command came with another visitor's token, or none."""


def check_owner(run: LiveRun, token: str) -> None:
    """Raises NotYours if the token is not the owner's."""
    if not hmac.compare_digest(run.owner_hash, hashed(token)):
        raise NotYours(f"run={run.id[:40]!r} belongs to someone else; a command needs the token of the run.")
