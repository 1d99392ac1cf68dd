"""How many requests of one address are answered at the same time."""

from __future__ import annotations

from collections import Counter

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.address import address
from app.turns import AGAIN

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
            told = {"error": f"requests={self._each} of your address are under way; ask again in {AGAIN} s."}
            return await JSONResponse(told, 429, {"Retry-After": str(AGAIN)})(scope, receive, send)
        self._open[lane] += 1
        try:
            return await self._app(scope, receive, send)
        finally:
            self._open[lane] -= 1
            if not self._open[lane]:
                del self._open[lane]
