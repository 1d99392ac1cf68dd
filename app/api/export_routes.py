"""The route of a finished run's files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from app.fairness.request_slots import FINDING, LONGEST_SENDING, AnswerSender
from app.middleware.lanes import Lanes
from app.runs.exports import KEPT_BYTES, Exports

_TYPES = {
    "gif": "image/gif",
    "png": "image/png",
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "json": "application/json",
    "py": "text/x-python",
    "html": "text/html; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "yaml": "application/yaml",
    "zip": "application/zip",
}


class _Answer(StreamingResponse):
    """Ends the turn once the answer has been sent, or the reader is gone."""

    def __init__(
        self, pieces: AsyncIterator[memoryview], turn: AsyncExitStack, seconds: float | None, **more: Any
    ) -> None:
        super().__init__(pieces, **more)
        self._turn = turn
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._turn:
            sending = super().__call__(scope, receive, send)
            try:
                await asyncio.wait_for(sending, self._seconds)
            except TimeoutError:
                raise ClientDisconnect from None  # the connection ends; there is nobody to tell


def export_route(exports: Exports) -> APIRouter:
    """GET one of a finished run's files."""
    router = APIRouter()
    sending, finding = AnswerSender(), Lanes(FINDING)

    @router.get("/live/{run}/export/{name}")
    async def export(run: str, name: str, request: Request) -> Response:
        async with finding.turn():
            version = await run_in_threadpool(exports.version, run)
        tag = f'"{version}"'
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "no-cache"})
        turn = AsyncExitStack()  # of the address, until an answer that is not kept has been read
        large = False
        content = await run_in_threadpool(exports.kept, run, name, version)
        if content is None:
            await turn.enter_async_context(sending.alone.turn())
            try:
                if large := await run_in_threadpool(exports.is_large, run):
                    await turn.enter_async_context(sending.large)
                content = await exports.of(run, name, version)
            except BaseException:
                await turn.aclose()
                raise
        if len(content) <= KEPT_BYTES:
            large = False
            await turn.aclose()
        headers = {
            "Cache-Control": "no-cache",  # a browser keeps the file but checks it each time: a run can continue
            "ETag": tag,
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(len(content)),
        }
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        seconds = LONGEST_SENDING if large else None
        return _Answer(sending.pieces(content), turn, seconds, media_type=kind, headers=headers)

    return router
