"""HTTP connections with deadlines: the server closes the connection of a peer that is too slow.

uvicorn only limits the time between two requests. It does not limit the time for a header, a body, or an unread
answer. Here a connection has a deadline while the server waits for its peer. When there is no room for one more
connection, the server closes the one that it has waited for longest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_NUMBERS = count()
GONE = "nayer.gone"  # in a request's scope: whether its peer has left
_LATE = b'{"error": "the rest of the request did not arrive within %g s; send it again."}'
_FULL = b'{"error": "The page takes at most %d connections, and they are all in use; try again in a few seconds."}'
_MALFORMED = b'{"error": "The request cannot be read; send HTTP/1.1."}'
_CAREFUL = {  # headers of answers that no application makes
    b"content-type": b"application/json",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"content-security-policy": b"default-src 'none'",
    b"connection": b"close",
}


@dataclass(frozen=True)
class Limits:
    """The limits on a peer's connections; times in seconds."""

    header: float = 10.0  # for a request's line and header, from its first byte or from the connection's beginning
    body: float = 10.0  # `least` bytes of a body must arrive in this time
    least: int = 8192
    reading: float = 30.0  # for a peer to read the bytes that wait
    most: int = 1000  # connections at once; a page holds a few
    spare: int = 50  # further connections, which get a refusal: closing the old ones takes a moment
    each: int = 256  # of one peer: a class behind one address
    exempt: Callable[[str], bool] = lambda _: False  # a proxy's connections belong to many visitors


class Connection(H11Protocol):
    """One connection with deadlines."""

    def __init__(self, *given: Any, limits: Limits, **named: Any) -> None:
        super().__init__(*given, **named)
        self._limits = limits
        self._seconds = {"header": limits.header, "body": limits.body, "reading": limits.reading, "end": limits.reading}
        self._owed = ""  # the part that the server waits for, or empty
        self._since = self.loop.time()  # start of the wait for the peer, if the server waits
        self.number = next(
            _NUMBERS
        )  # the later it came, the larger: two can wait equally long by uvloop's coarse clock
        self._bytes = 0  # bytes of a body since then
        self._begun = True  # whether the peer owes the rest of a header
        self._timer: asyncio.TimerHandle | None = None
        self._application = self.app

    @property
    def peer(self) -> str:
        """The address of the peer."""
        return self.client[0] if self.client else ""

    @property
    def waits(self) -> bool:
        """Whether it is the peer's turn."""
        return bool(self._owed) or not self._answering

    @property
    def waited(self) -> float:
        """Seconds since the turn changed."""
        return self.loop.time() - self._since

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """asyncio: the connection opens, and is counted."""
        super().connection_made(transport)
        others = [one for one in cast("set[Connection]", self.connections) if one is not self]
        mine = [one for one in others if one.peer == self.peer]
        if len(mine) >= self._limits.each and not self._limits.exempt(self.peer):
            close_longest_waiting(mine, self)
        elif len(others) >= self._limits.most:
            close_longest_waiting(others, self)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is closed, and no longer counted."""
        super().connection_lost(exc)
        self._wait_for("")

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes of a request arrive."""
        self._bytes += len(data)
        self._begun = True
        super().data_received(data)
        self._look()

    def handle_events(self) -> None:
        """When there are too many connections, a new request gets an answer without the application."""
        most = self._limits.most + self._limits.spare
        crowded = len(self.connections) >= most or len(self.tasks) >= most
        self.app = cast(Any, _full(most) if crowded else self._run_application)
        super().handle_events()

    async def _run_application(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the application. It can check that the peer is still connected before it reads a body."""
        cycle = self.cycle
        scope[GONE] = lambda: cycle.disconnected
        await cast(ASGIApp, self._application)(scope, receive, send)

    def send_400_response(self, msg: str) -> None:
        """Like uvicorn's own method, but with one sentence and the usual headers of an answer."""
        if not self._answering:  # otherwise it lands in the middle of another answer
            self.transport.write(_answer(400, b"Bad Request", _MALFORMED))
        self.transport.close()

    def on_response_complete(self) -> None:
        """uvicorn: the answer is written."""
        self._begun = False
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """asyncio: the client reads more slowly than the server writes."""
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        """asyncio: there is room for more of the answer."""
        super().resume_writing()
        self._look()

    def timeout_keep_alive_handler(self) -> None:
        """uvicorn: no further request came in time."""
        super().timeout_keep_alive_handler()
        self._look()

    def close(self) -> None:
        """Closes it. A peer that sent a part of a body and has no answer yet gets a sentence."""
        if not self.transport.is_closing():
            if self._answering:
                if self._owed == "body" and not self.cycle.response_started:
                    self.transport.write(_answer(408, b"Request Timeout", _LATE % self._limits.body))
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self.transport.close()
        self._look()

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _look(self) -> None:
        """Updates the part that the server waits for. A wait that already runs keeps its remaining time."""
        if self.transport.is_closing():
            self._wait_for("end")  # while there are bytes to send
        elif self.flow.write_paused:
            self._wait_for("reading")
        elif self._answering:
            self._wait_for("body" if self.cycle.more_body else "")
        else:
            self._wait_for("header" if self._begun else "")  # uvicorn has a clock between two requests

    def _wait_for(self, what: str) -> None:
        if what == self._owed:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._owed, self._since = what, self.loop.time()
        if what:
            self._begin()

    def _begin(self) -> None:
        self._bytes = 0
        self._timer = self.loop.call_later(self._seconds[self._owed], self._late)

    def _late(self) -> None:
        self._timer = None
        if self._owed in ("reading", "end"):
            self.transport.abort()  # a plain close waits until all bytes are sent
        elif self._owed == "body" and (self.flow.read_paused or self._bytes >= self._limits.least):
            self._begin()  # the server itself does not read, or the transfer goes well
        else:
            self.close()


def _answer(status: int, reason: bytes, sentence: bytes) -> bytes:
    lines = [b"%s: %s" % pair for pair in (_CAREFUL | {b"content-length": b"%d" % len(sentence)}).items()]
    return b"HTTP/1.1 %d %s\r\n%s\r\n\r\n%s" % (status, reason, b"\r\n".join(lines), sentence)


def _full(most: int) -> ASGIApp:
    sentence = _FULL % most

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [*_CAREFUL.items(), (b"content-length", b"%d" % len(sentence)), (b"retry-after", b"5")]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": sentence})

    return answer


def close_longest_waiting(those: list[Connection], newest: Connection) -> None:
    """Closes the connection in `those` with the longest wait for its peer; closes `newest` when none waits."""
    peers: dict[str, int] = {}
    for one in those:
        peers[one.peer] = peers.get(one.peer, 0) + 1
    waiting = [one for one in those if one.waits]
    first = max(waiting, key=lambda one: (peers[one.peer], one.waited, -one.number), default=newest)
    first.close()


def connections(limits: Limits) -> type[asyncio.Protocol]:
    """The value of uvicorn's `http` option: these connections, with `limits`."""
    return cast("type[asyncio.Protocol]", partial(Connection, limits=limits))
