"""Bounds on uploads under way, in all and by address. An upload that stalls gives way to one that sends."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import Request
from starlette.types import Message

from app.fairness.fair_executor import AGAIN, Busy
from app.middleware.client_address import address
from nayer.errors import NayerError

MAX_UPLOADS = 36  # uploads at once; with 24 MB each they take 864 MB of the disk
EACH = 12  # of one address
SECONDS = 300.0  # time limit of one upload; 24 MB need 80 KB/s


class TooSlow(NayerError):
    """An upload took too long, or gave way to others."""


class ActiveUpload:
    """One upload under way. `displace` makes `request` end with TooSlow."""

    def __init__(self, lane: str, seconds: float, clock: Callable[[], float]) -> None:
        self.lane = lane
        self.latest = clock()  # when its latest bytes came
        self.arrived = False
        self._clock = clock
        self._seconds = seconds
        self._until = clock() + seconds
        self._displaced: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def displace(self) -> None:
        """Ends this upload, so that another one has room."""
        if not self._displaced.done():
            self._displaced.set_result(None)

    def request(self, request: Request) -> Request:
        """The same request, with a time limit for reading."""

        async def receive() -> Message:
            message = asyncio.ensure_future(request.receive())
            left = max(0.0, self._until - self._clock())
            either: set[asyncio.Future[Any]] = {message, self._displaced}
            await asyncio.wait(either, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not message.done():
                message.cancel()
                why = "gave way to other uploads" if self._displaced.done() else f"took more than {self._seconds:g} s"
                raise TooSlow(f"the files {why}; send them again over a faster connection.")
            self.latest = self._clock()
            self.arrived = not message.result().get("more_body", False)
            return message.result()

        return Request(request.scope, receive)


class ActiveUploads:
    """The uploads under way. For one event loop."""

    def __init__(
        self,
        most: int = MAX_UPLOADS,
        each: int = EACH,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._each = each
        self._seconds = seconds
        self._clock = clock
        self._open: list[ActiveUpload] = []

    @contextmanager
    def enter(self) -> Iterator[ActiveUpload]:
        """Adds an upload of the address that asks. Raises Busy.

        When there are too many, one upload of the address with the most gives way: the one that is silent for longest.
        """
        lane = address()
        count = Counter(one.lane for one in self._open)
        if count[lane] >= self._each:
            raise Busy(f"Too many uploads of your address are in progress ({count[lane]}); try again in {AGAIN} s.")
        if len(self._open) >= self._most:
            self._make_room(count, lane)
        arrival = ActiveUpload(lane, self._seconds, self._clock)
        self._open.append(arrival)
        try:
            yield arrival
        finally:
            if arrival in self._open:
                self._open.remove(arrival)

    def _make_room(self, count: Counter[str], lane: str) -> None:
        coming = [one for one in self._open if not one.arrived and count[one.lane] > count[lane] + 1]
        if not coming:
            raise Busy(f"Too many uploads are in progress ({len(self._open)}); try again in {AGAIN} s.")
        most = max(count[one.lane] for one in coming)
        stalled = min((one for one in coming if count[one.lane] == most), key=lambda one: one.latest)
        self._open.remove(stalled)
        stalled.displace()
