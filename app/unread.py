"""Answers that wait to be fetched, of so many pages: Gradio forgets the oldest page's, but waits for them still."""

from __future__ import annotations

import asyncio
from typing import Any

from gradio.queueing import Queue
from gradio.utils import LRUCache

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
