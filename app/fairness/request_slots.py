"""Bounds on how many requests of one address are answered at once, and on how many large answers it is sent."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.fairness.fair_executor import AGAIN
from app.middleware.client_address import address
from app.middleware.lanes import Lanes
from app.support.exhaustion import missing, no_thread

log = logging.getLogger(__name__)

EACH = 200  # a class behind one address: each page holds two streams open and makes a few other requests
LOOKING = 8  # looks of one address that run at once; the next ones wait, a few ms each
CALLING = 8  # calls of one address that Gradio handles at once; each keeps the event loop busy for some ms
FINDING = 2  # runs that one address lets the server find at once: one of the past is read from the disk
SENDING = 4  # large answers to one address; the next ones wait, because a fast reader keeps the event loop busy
PIECE = 64 << 10  # bytes
THREAD_TRIES, THREAD_SECONDS = 50, 0.05  # of a look, where the machine has no thread to spare
LONGEST_SENDING = 600.0  # s for one large answer, so that a slow reader does not keep the others waiting for hours
_LOOKS = re.compile(r"/live/.+/(status|lab|rounds|umap|\d+|\d+\.jpg)")  # these requests never wait
PLAIN = 2  # all other requests of one address that wait for nothing: the page itself takes some 20 ms of the event loop
_CALLS = re.compile(r"/gradio_api/((run|api|call)/.+|queue/join)|/command/.+")
# These requests wait: for a turn, for a run's answer or for an event.
_WAITING = re.compile(
    r"/live/.+/(sheet\.png|export/.+|replay/(timeline|networks))|/explore|/bring|/gradio_api/(heartbeat/.+|queue/data|cancel|reset/?)"
)


class RequestSlots:
    """Middleware, inside of Forwarded: 429 for an address with too many open requests. Looks and calls take turns.

    Answers go out in pieces. The server copies what a reader does not take, so a hundred readers of one answer would
    be a hundred copies.
    """

    def __init__(
        self,
        app: ASGIApp,
        each: int = EACH,
        looking: int = LOOKING,
        calling: int = CALLING,
        plain: int = PLAIN,
        waiting_commands: Collection[str] = (),
    ) -> None:
        """`waiting_commands`: those that wait for a turn or a run. The others use threads that looks use too: a lab of
        20 arms of new sizes keeps Python busy for seconds before it is refused."""
        self._app = app
        self._waiting_commands = frozenset(f"/command/{name}" for name in waiting_commands)
        self._each = each
        self._open: Counter[str] = Counter()  # by address; all in one event loop
        self._looks = Lanes(looking)
        self._calls = Lanes(calling)
        self._plain = Lanes(plain)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        lane = address()
        if self._open[lane] >= self._each:
            await asyncio.sleep(1.0)  # a client that asks in a loop asks no faster than this
            refusal = {
                "error": f"Too many requests of your address are in progress ({self._each}); try again in {AGAIN} s."
            }
            return await JSONResponse(refusal, 429, {"Retry-After": str(AGAIN)})(scope, receive, send)
        self._open[lane] += 1
        send = _in_pieces(send)
        try:
            if _LOOKS.fullmatch(scope["path"]):
                return await self._in_turn(self._looks, scope, receive, send)
            if scope["path"] in self._waiting_commands or _WAITING.fullmatch(scope["path"]):
                return await self._answered(scope, receive, send)
            if _CALLS.fullmatch(scope["path"]):
                return await self._in_turn(self._calls, scope, receive, send)
            return await self._in_turn(self._plain, scope, receive, send)
        finally:
            self._open[lane] -= 1
            if not self._open[lane]:
                del self._open[lane]

    async def _in_turn(self, lanes: Lanes, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as turn:
            await turn.enter_async_context(lanes.turn())

            async def begun(message: Message) -> None:
                await turn.aclose()  # a slow reader does not keep the turn
                await send(message)

            await self._answered(scope, receive, begun)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer of the application; 503 with a sentence where the machine lacks something for a moment.

        A look waits for a thread that another look gives back, which takes some ms.
        """
        begun, tries = False, THREAD_TRIES if _LOOKS.fullmatch(scope["path"]) else 0

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        while True:
            try:
                await self._app(scope, receive, sent)
                return
            except (RuntimeError, OSError, MemoryError) as error:
                if begun or not (what := missing(error)):
                    raise
                if not (no_thread(error) and tries):
                    log.warning("the machine has no %s to spare", what)
                    break
            tries -= 1
            await asyncio.sleep(THREAD_SECONDS)
        refusal = {"error": f"The machine has no {what} to spare now; try again in {AGAIN} s."}
        await JSONResponse(refusal, 503, {"Retry-After": str(AGAIN)})(scope, receive, send)


def _in_pieces(send: Send) -> Send:
    async def sent(message: Message) -> None:
        body = memoryview(message.get("body", b""))
        last = max(0, len(body) - 1) // PIECE * PIECE  # where the last piece begins
        for place in range(0, last, PIECE):
            await send({"type": message["type"], "body": bytes(body[place : place + PIECE]), "more_body": True})
        await send({**message, "body": bytes(body[last:])} if last else message)

    return sent


class AnswerSender:
    """Sends large answers piece by piece, `each` of them at once to one address. For one event loop."""

    def __init__(self, each: int = SENDING) -> None:
        self._lanes = Lanes(each)
        self.alone = Lanes(1)  # for an answer that no cache keeps: each request has one of its own in memory
        self.large = asyncio.Semaphore()  # for an answer of hundreds of MB: one is in memory for all addresses

    async def pieces(self, content: bytes) -> AsyncIterator[memoryview]:
        """The pieces of an answer to the present address. Only one piece waits for a slow reader, not a full copy."""
        async with self._lanes.turn():
            for place in range(0, len(content), PIECE):
                yield memoryview(content)[place : place + PIECE]
                await asyncio.sleep(0)  # the other requests get a turn between two pieces
