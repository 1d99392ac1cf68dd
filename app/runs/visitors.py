"""The tokens of visitors: the latest run of each, and who may command a run."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable

from app.fairness.fair_cache import FairCache
from app.middleware.client_address import address
from app.runs.live_run import LiveRun, hashed
from nayer.errors import NayerError

_REMEMBERED = 2000  # tokens; the address that has the most loses one first


class VisitorTokens:
    """Not safe for threads by itself. `knows` recognizes a token from before this process."""

    def __init__(self, knows: Callable[[str], bool]) -> None:
        self._knows = knows
        self._runs: FairCache[str, str] = FairCache(_REMEMBERED)  # token -> run, empty for none

    def token(self, given: str) -> str:
        """That token if it is one of ours; otherwise a new one."""
        token, run = given, self._runs.get(given)
        if run is None and not self._knows(given):
            token = secrets.token_urlsafe(24)
        self._runs.put(token, run or "", address())
        return token

    def run(self, token: str) -> str:
        """The id of the visitor's latest run, empty for none."""
        return self._runs.get(token) or ""

    def began(self, token: str, run: str) -> None:
        """Notes the run that this visitor began last."""
        self._runs.put(token, run, address())


class NotYours(NayerError):
    """A command came with another visitor's token, or none."""


def check_owner(run: LiveRun, token: str) -> None:
    """Raises NotYours if the token is not the owner's."""
    if not hmac.compare_digest(run.owner_hash, hashed(token)):
        raise NotYours(f"run={run.id[:40]!r} belongs to someone else; a command needs the token of the run.")
