"""Limits the share of the event loop for all requests of one address while other addresses ask too.

Every look passes the one event loop about ten times. One request that takes 30 ms is harmless. A hundred connections
that repeat it leave no time for other visitors. So the server measures the time of each request in the loop and
charges it to the address. An address that used its share starts no further request until its debt is paid off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.middleware.client_address import address
from app.middleware.connections import GONE

SHARE = 0.25  # of the time that passes: a class of thirty that looks at a run takes a tenth
AHEAD = 0.5  # s of the event loop that an address may have at once: some page loads, with all their files
BEGINNING = 0.001  # s for the unmeasured part of a request: its line and header are read before
TOGETHER = 60.0  # s after its last request; an address counts as active for this time
WAITING = 200  # requests of one address that wait to begin
AGAIN = 5  # s until a refused client asks again
_ACCOUNTS = 1000  # above this number, accounts without debt are removed
_LONGEST = 1.0  # s of sleep; after it the address checks again, because the others may have stopped


@dataclass(eq=False)
class _Account:
    """The account of an address. For one event loop."""

    owed: float = 0.0  # s of the event loop, at `when`
    when: float = 0.0
    waiting: int = 0
    turns: asyncio.Lock = field(default_factory=asyncio.Lock)  # first come, first served


class LoopShare:
    """Middleware, inside of Forwarded. An address that asks alone may use all the time."""

    def __init__(
        self,
        application: ASGIApp,
        share: float = SHARE,
        ahead: float = AHEAD,
        waiting: int = WAITING,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._application = application
        self._share = share
        self._ahead = ahead
        self._waiting = waiting
        self._clock = clock
        self._accounts: dict[str, _Account] = {}
        self._latest = ("", -TOGETHER)  # the last address, and the time of its request
        self._before = -TOGETHER  # time of the last request from any other address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._application(scope, receive, send)
        lane = address()
        self._asks(lane)
        account = self._account(lane)
        if account.waiting >= self._waiting:
            await asyncio.sleep(_LONGEST)  # a client that asks in a loop asks no faster than this
            refusal = {"error": f"requests={self._waiting} of your address wait; ask again in {AGAIN} s."}
            return await JSONResponse(refusal, 429, {"Retry-After": str(AGAIN)})(scope, receive, send)
        account.waiting += 1
        try:
            async with account.turns:
                while not self._alone(lane) and (late := self._late(account)) > 0:
                    if scope.get(GONE, bool)():
                        return None  # and the requests behind it move up
                    await asyncio.sleep(min(late, _LONGEST))
            self._charge(account, BEGINNING)
        finally:
            account.waiting -= 1
        work = self._application(scope, receive, send)
        assert isinstance(work, Coroutine)
        return await _Charged(work, self._clock, lambda seconds: self._charge(account, seconds))

    def _asks(self, lane: str) -> None:
        former, when = self._latest
        if former != lane:
            self._before = when
        self._latest = lane, self._clock()

    def _alone(self, lane: str) -> bool:
        other = self._before if self._latest[0] == lane else self._latest[1]
        return self._clock() - other >= TOGETHER

    def _account(self, lane: str) -> _Account:
        if len(self._accounts) >= _ACCOUNTS and lane not in self._accounts:
            self._accounts = {
                name: one for name, one in self._accounts.items() if one.waiting or self._updated(one).owed > 0
            }
        return self._accounts.setdefault(lane, _Account(when=self._clock()))

    def _updated(self, account: _Account) -> _Account:
        """The account after the payments since its last update."""
        now = self._clock()
        account.owed = max(0.0, account.owed - self._share * (now - account.when))
        account.when = now
        return account

    def _late(self, account: _Account) -> float:
        """Seconds until the account may start one more request; 0 if it may start now."""
        over = self._updated(account).owed - self._ahead
        return over / self._share if over > 0 else 0.0

    def _charge(self, account: _Account, seconds: float) -> None:
        self._updated(account).owed += seconds


class _Charged:
    """An awaitable that runs `work` and charges the time of each step.

    It is wall-clock time, not processor time: during this time no other request has the event loop.
    """

    def __init__(
        self, work: Coroutine[Any, Any, None], clock: Callable[[], float], charge: Callable[[float], None]
    ) -> None:
        self._work = work
        self._clock = clock
        self._charge = charge

    def __await__(self) -> Generator[Any, Any, None]:
        thrown: BaseException | None = None
        while True:
            began = self._clock()
            try:
                waited_for = self._work.send(None) if thrown is None else self._work.throw(thrown)
            except StopIteration:
                return
            finally:
                self._charge(self._clock() - began)
            thrown = None
            try:
                yield waited_for
            except BaseException as error:  # it goes to the point where the work waits: that point may handle a cancel
                thrown = error
