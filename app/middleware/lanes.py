"""Turns by address in the event loop: what one address brings at once keeps the others waiting for a few of it only."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.middleware.client_address import address


class Lanes:
    """Of each address so many at once; the others of it wait, in their order. For one event loop."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._open: Counter[str] = Counter()  # with those that wait

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Of the present address."""
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
