"""How many requests of one address are answered at the same time, and how much is sent to it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.address import address
from app.turns import AGAIN

SENDING = 4  # large answers to one address; the next ones wait, for whoever reads fast keeps the event loop busy
PIECE = 64 << 10  # bytes
EACH = 200  # a class behind one address: each page holds two streams open and asks for a few things besides


class AtOnce:
    """Middleware, inside of Addressed: 429 for whoever has so many requests under way already."""

    def __init__(self, app: ASGIApp, each: int = EACH) -> None:
        self._app = app
        self._each = each
        self._open: Counter[str] = Counter()  # by address; all in one event loop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        lane = address()
        if self._open[lane] >= self._each:
            await asyncio.sleep(1.0)  # who asks in a loop asks no faster than that
            told = {"error": f"requests={self._each} of your address are under way; ask again in {AGAIN} s."}
            return await JSONResponse(told, 429, {"Retry-After": str(AGAIN)})(scope, receive, send)
        self._open[lane] += 1
        try:
            return await self._app(scope, receive, send)
        finally:
            self._open[lane] -= 1
            if not self._open[lane]:
                del self._open[lane]


class Sending:
    """Large answers, a piece at a time, `each` of them at once to an address. For one event loop."""

    def __init__(self, each: int = SENDING) -> None:
        self._each = each
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._open: Counter[str] = Counter()

    async def pieces(self, content: bytes) -> AsyncIterator[memoryview]:
        """Of the answer to the present address. What waits for a slow reader is one piece, and not a copy of all."""
        lane = address()
        turns = self._lanes.setdefault(lane, asyncio.Semaphore(self._each))
        self._open[lane] += 1
        try:
            async with turns:
                for place in range(0, len(content), PIECE):
                    yield memoryview(content)[place : place + PIECE]
                    await asyncio.sleep(0)  # between two pieces the others have a turn
        finally:
            self._open[lane] -= 1
            if not self._open[lane]:
                del self._open[lane], self._lanes[lane]
