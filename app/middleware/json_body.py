"""Checks the body of a request: its size, JSON that all parsers read alike, texts that are safe to show."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.middleware.client_address import address
from app.middleware.lanes import Lanes
from nayer.text_rules import text_error

SMALL_BODY = 96 * 1024  # bytes of a command or a form: 200 class names of 64 characters, each in six bytes
MOST_VALUES = 13_000  # in a small body: an image of 3 × 64 × 64 that somebody drew is the largest
TEACHER_BODY = 24 * 1024**2  # a teacher's files, which wait on the disk, without a name, for their turn
TEACHERS = "/bring"
_DIGITS = 20  # most digits of a length that the server reads
HELD = 4 * 1024**2  # bytes in all bodies of one address that arrive or wait for their answer
DEEPEST = 32  # nested lists and objects; some readers recurse once for each level


class Bodies:
    """Ends a request with invalid JSON or a body that is too long, with or without a declared length."""

    def __init__(self, application: ASGIApp) -> None:
        self._small = RequestBodyLimitMiddleware(_JsonCheck(application), SMALL_BODY)
        self._large = RequestBodyLimitMiddleware(application, TEACHER_BODY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        large = scope.get("path") == TEACHERS
        most = TEACHER_BODY if large else SMALL_BODY
        length = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        if length.isdecimal() and (len(length) > _DIGITS or int(length) > most):
            refusal = {"error": f"body is longer than {most // 1024} kB; send less at once."}
            return await JSONResponse(refusal, 413)(scope, receive, send)
        return await (self._large if large else self._small)(scope, receive, send)


_TOO_MUCH = {"error": f"Your address may send {HELD // 1024**2} MB at once, and it sends more; try again in 5 s."}


class _JsonCheck:
    """Reads JSON before other code does: FastAPI fails while it refuses a NaN, other readers fail on depth."""

    def __init__(self, application: ASGIApp, held: int = HELD) -> None:
        self._application = application
        self._most = held
        self._turns = Lanes(1)
        self._held = Counter[str]()  # bytes by address; all in one event loop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = Headers(scope=scope).get("content-type", "json").lower() if scope["type"] == "http" else ""
        if "json" not in kind:  # without a content type FastAPI also reads it as JSON
            return await self._application(scope, receive, send)
        lane, body = address(), bytearray()
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                piece = message.get("body", b"")
                body += piece
                self._held[lane] += len(piece)
                if self._held[lane] > self._most:
                    return await JSONResponse(_TOO_MUCH, 429, {"Retry-After": "5", "Connection": "close"})(
                        scope, receive, send
                    )
                if not message.get("more_body", False):
                    break
            return await self._read(bytes(body), scope, receive, send)
        finally:
            self._held[lane] -= len(body)
            if not self._held[lane]:
                del self._held[lane]

    async def _read(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._turns.turn():  # takes up to 3 ms of the event loop
            wrong = json_error(body) if body else ""
        if wrong:
            return await JSONResponse({"error": wrong}, status_code=400)(scope, receive, send)
        read = False

        async def again() -> Message:
            nonlocal read
            if read:
                return await receive()
            read = True
            return {"type": "http.request", "body": body, "more_body": False}

        return await self._application(scope, again, send)


def json_error(body: bytes) -> str:
    """One sentence about the error in a JSON body; empty for a valid body."""
    # There are at most this many values. The count takes microseconds; a parse of 30,000 lists takes 50 ms.
    if sum(map(body.count, (b",", b"[", b"{"))) > MOST_VALUES:
        return f"body holds too many values; use at most {MOST_VALUES}, commas and brackets in texts counted too."
    try:
        content = json.loads(
            body.decode("utf-8"),
            parse_constant=_not_a_number,
            parse_float=_finite,
            object_pairs_hook=_each_once,
        )
    except RecursionError:
        return f"body is nested too deeply; use at most {DEEPEST} lists and objects within each other."
    except _Refused as refused:
        return str(refused)
    except ValueError:  # also what is not UTF-8, and whole numbers of thousands of digits
        return "body is not JSON in UTF-8; send the arguments as a list or an object."
    if _depth(content) > DEEPEST:
        return f"body is nested too deeply; use at most {DEEPEST} lists and objects within each other."
    return text_error(content, "body")


class _Refused(Exception):
    """The body is JSON for some readers, but not for all."""


def _not_a_number(name: str) -> float:
    raise _Refused(f"body contains {name}; use finite numbers.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _Refused(f"body contains {digits[:20]}; use finite numbers.")
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Refused("body has the same name twice; use each name once.")
    return found


def _depth(content: Any) -> int:
    """The depth of nested lists and objects, computed without recursion."""
    deepest, level = 0, [content]
    while level := [one for one in level if isinstance(one, dict | list)]:
        deepest += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return deepest
