"""The tokens of visitors, and the latest run of each visitor."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from cachetools import LRUCache

_REMEMBERED = 2000  # tokens


class VisitorTokens:
    """Not safe for threads by itself. `knows` recognizes a token from before this process."""

    def __init__(self, knows: Callable[[str], bool]) -> None:
        self._knows = knows
        self._runs: LRUCache[str, str] = LRUCache(_REMEMBERED)  # token -> run, empty for none

    def token(self, given: str) -> str:
        """That token if it is one of ours; otherwise a new one."""
        token = given
        if given not in self._runs and not self._knows(given):
            token = secrets.token_urlsafe(24)
        self._runs[token] = self._runs.get(token, "")
        return token

    def run(self, token: str) -> str:
        """The id of the visitor's latest run, empty for none."""
        return self._runs.get(token, "")

    def began(self, token: str, run: str) -> None:
        """Notes the run that this visitor began last."""
        self._runs[token] = run
