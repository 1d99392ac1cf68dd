"""Answers that wait to be fetched, of so many pages: Gradio forgets the oldest page's, but waits for them still."""

from __future__ import annotations

import asyncio
from typing import Any

from gradio.queueing import Queue
from gradio.utils import LRUCache
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

MOST = 300  # pages; a class and more presses Play at once


class Unread(LRUCache[str, Any]):
    """A page's session -> its answers; the oldest page goes first, and with it what `queue` waits for on its behalf."""

    def __init__(self, queue: Queue) -> None:
        super().__init__(MOST)
        self._waited_for = queue.pending_event_ids_session

    def __missing__(self, session: str) -> Any:
        """What is said to a page that was forgotten goes nowhere; it would be an error within Gradio's queue."""
        return asyncio.Queue()

    def popitem(self, last: bool = True) -> tuple[str, Any]:
        session, answers = super().popitem(last)
        self._waited_for.pop(session, None)
        return session, answers


class Ended:
    """Middleware: where answers are not here Gradio says so in its stream, and then fails over it; here it ends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except RuntimeError as error:  # of Starlette, which can send no status once an answer has begun
            if not isinstance(error.__cause__, HTTPException):
                raise
            await send({"type": "http.response.body", "body": b""})
