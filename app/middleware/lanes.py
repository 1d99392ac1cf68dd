"""Turns by address in the event loop: the others wait for only a few requests of one address."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.middleware.client_address import address


class Lanes:
    """A fixed number of requests of each address run at once; its others wait in order. For one event loop."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._open: Counter[str] = Counter()  # includes the waiting requests

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A turn of the present address."""
        lane = address()
        turns = self._lanes.setdefault(lane, asyncio.Semaphore(self._each))
        self._open[lane] += 1
        try:
            async with turns:
                yield
        finally:
            self._open[lane] -= 1
            if not self._open[lane]:
                del self._open[lane], self._lanes[lane]
