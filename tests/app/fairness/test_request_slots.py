"""Requests of one address: so many at once, looks in turn, and nobody else's wait for them."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.fairness.request_slots import PIECE, RequestSlots
from tests.support.serving import at


class House:
    """Answers begin when let; `most` says how many were worked out at once, by path."""

    def __init__(self, each: int = 200, looking: int = 8) -> None:
        self.go = asyncio.Event()
        self.read = asyncio.Event()
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.statuses: list[int] = []
        self._door = RequestSlots(self._answer, each, looking, looking, looking, ["redraws"])

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        self.now[path] += 1
        self.most[path] = max(self.most[path], self.now[path])
        await self.go.wait()
        self.now[path] -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.read.wait()

    def ask(self, lane: str, path: str) -> asyncio.Future[None]:
        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])

        with at(lane):
            return asyncio.ensure_future(self._door({"type": "http", "method": "GET", "path": path}, receive, send))


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/live/x/status", 2),
        ("/live/x/arm/3/frame/5.jpg", 2),
        ("/live/x/umap", 2),
        ("/gradio_api/run/embeddings_umap", 2),
        ("/gradio_api/queue/join", 2),
        ("/", 2),
        ("/config", 2),
        ("/command/start_lab", 2),
        ("/command/class_code", 2),
        ("/command/redraws", 20),
        ("/explore", 20),
        ("/gradio_api/heartbeat/x", 20),
    ],
)
def test_looks_and_calls_of_an_address_are_worked_out_a_few_at_a_time_whoever_reads_them_slowly(
    path: str, most: int
) -> None:
    async def tried() -> None:
        house = House(looking=2)
        asked = [house.ask("hog", path) for _ in range(20)]
        await asyncio.sleep(0.01)
        assert house.now[path] == most
        other = house.ask("other", path)
        await asyncio.sleep(0.01)
        assert house.now[path] == most + 1
        house.go.set()
        while len(house.statuses) < 21:  # nobody has read an answer yet
            await asyncio.sleep(0)
        assert house.most[path] == most + 1
        house.read.set()
        await asyncio.gather(*asked, other)

    asyncio.run(asyncio.wait_for(tried(), 30))


def test_beyond_so_many_requests_an_address_is_told_to_wait_and_nobody_else() -> None:
    async def tried() -> None:
        house = House(each=3)
        asked = [house.ask("hog", "/explore") for _ in range(4)]
        await asked[3]
        assert house.statuses == [429]
        asked.append(house.ask("other", "/explore"))
        house.go.set()
        house.read.set()
        await asyncio.gather(*asked)
        assert house.statuses == [429, 200, 200, 200, 200]

    asyncio.run(asyncio.wait_for(tried(), 30))


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 5])
def test_an_answer_goes_out_in_pieces_that_a_slow_reader_can_take_one_by_one(size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    told: list[Message] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": content[:size]})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        told.append(message)

    asyncio.run(RequestSlots(answer)({"type": "http", "method": "GET", "path": "/x"}, receive, send))
    pieces = told[1:]
    assert b"".join(piece["body"] for piece in pieces) == content[:size]
    assert max(len(piece["body"]) for piece in pieces) <= PIECE
    assert [piece.get("more_body", False) for piece in pieces] == [True] * (len(pieces) - 1) + [False]


class Poor:
    """An application on a machine that lacks something for the first `times` calls."""

    def __init__(self, error: Exception, times: int) -> None:
        self._error = error
        self.left = times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.left -= 1
        if self.left >= 0:
            raise self._error
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"well"})


def asked(app: Poor, path: str) -> tuple[int, bytes]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    asyncio.run(RequestSlots(app)(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


NO_THREAD = RuntimeError("can't start new thread")


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (NO_THREAD, b"threads"),
        (OSError(errno.EMFILE, "Too many open files"), b"open files"),
        (OSError(errno.ENOSPC, "No space left on device"), b"disk space"),
        (MemoryError(), b"memory"),
    ],
)
def test_what_the_machine_lacks_is_one_sentence_and_no_fault(error: Exception, what: bytes) -> None:
    status, body = asked(Poor(error, 1), "/bring")
    assert (status, body) == (503, b'{"error":"The machine has no %s to spare now; try again in 5 s."}' % what)


def test_a_look_waits_for_the_thread_of_another_look() -> None:
    assert asked(Poor(NO_THREAD, 3), "/live/x/status") == (200, b"well")


def test_a_fault_of_ours_stays_one() -> None:
    with pytest.raises(RuntimeError, match="ours"):
        asked(Poor(RuntimeError("ours"), 1), "/bring")
