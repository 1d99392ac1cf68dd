"""An address that has had its share of the event loop begins nothing more for a while, and nobody else waits for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.middleware.connections import GONE
from app.middleware.loop_share import TOGETHER, LoopShare
from tests.support.clocks import Clock
from tests.support.serving import at

COST = 0.125  # s of the event loop that each request takes, on the clock of the test

SLOW = 2**-10  # of a share, so that what is paid off meanwhile does not count


class Visits:
    """Requests to an application behind a `LoopShare`; who has begun how many of them, and how they were answered."""

    def __init__(self, **limits: Any) -> None:
        self.clock = Clock(1000.0)
        self.begun = Counter[str]()
        self.ended = Counter[str]()
        self.statuses = Counter[int]()
        self.open = asyncio.Event()
        self.open.set()
        self._share = LoopShare(self._answer, clock=self.clock, **limits)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun[scope["path"]] += 1
        self.clock.now += COST
        try:
            await self.open.wait()
        finally:
            self.ended[scope["path"]] += 1

    def ask(self, lane: str, *, gone: bool = False) -> asyncio.Future[None]:
        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses[message["status"]] += 1

        with at(lane):
            return asyncio.ensure_future(self._share({"type": "http", "path": lane, GONE: lambda: gone}, receive, send))


def tried(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


async def a_while() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def test_who_has_had_its_share_begins_nothing_more_until_that_is_paid_and_others_begin_at_once() -> None:
    async def work() -> None:
        visits = Visits(share=SLOW, ahead=0.5)
        await visits.ask("other")
        asked = [visits.ask("hog") for _ in range(20)]
        await a_while()
        begun = visits.begun["hog"]
        assert begun == 4  # of 0.125 s and 0.001 s each, 0.5 s are exceeded by the fourth
        await visits.ask("other")
        await visits.ask("third")
        assert visits.begun["hog"] == begun
        visits.clock.now += (COST + 0.001) / SLOW
        await visits.ask("other")
        while visits.begun["hog"] == begun:  # it sleeps for as long as it owed then
            await asyncio.sleep(0.01)
        await a_while()
        assert visits.begun["hog"] == begun + 1
        for one in asked:
            one.cancel()

    tried(work())


def test_an_address_that_asks_alone_waits_for_nothing() -> None:
    async def work() -> None:
        visits = Visits()
        await visits.ask("other")
        visits.clock.now += TOGETHER
        await asyncio.gather(*[visits.ask("only") for _ in range(100)])
        assert visits.begun["only"] == 100

    tried(work())


def test_time_in_which_a_request_only_waits_is_not_charged() -> None:
    async def work() -> None:
        visits = Visits(share=SLOW, ahead=1.0)
        await visits.ask("other")
        visits.open.clear()
        stream = visits.ask("hog")
        await a_while()
        visits.clock.now += 50.0
        visits.open.set()
        await stream
        await visits.ask("other")
        asked = [visits.ask("hog") for _ in range(20)]
        await a_while()
        assert visits.begun["hog"] == 1 + 8
        for one in asked:
            one.cancel()

    tried(work())


def test_a_request_that_is_canceled_is_told_so_where_it_waits() -> None:
    async def work() -> None:
        visits = Visits()
        visits.open.clear()
        asked = visits.ask("one")
        await a_while()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert visits.ended["one"] == 1

    tried(work())


def test_beyond_so_many_that_wait_one_more_is_refused() -> None:
    async def work() -> None:
        visits = Visits(ahead=0.0, waiting=5)
        await visits.ask("other")
        asked = [visits.ask("hog") for _ in range(8)]
        await asyncio.wait(asked[6:])
        assert visits.statuses == {429: 2}
        for one in asked:
            one.cancel()

    tried(work())


def test_who_has_left_is_not_waited_for() -> None:
    async def work() -> None:
        visits = Visits(share=SLOW, ahead=0.0)
        await visits.ask("other")
        await visits.ask("hog")
        left = [visits.ask("hog", gone=True) for _ in range(20)]
        stays = visits.ask("hog")
        await asyncio.gather(*left)
        assert visits.begun["hog"] == 1
        assert not stays.done()
        stays.cancel()

    tried(work())
