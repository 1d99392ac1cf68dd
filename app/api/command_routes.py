"""The public commands once more, for the page's own script: there a refusal is an answer, not a failed request."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from app.api.commands import Commands
from app.api.live_routes import busy
from app.fairness.fair_executor import Busy, FairExecutor
from app.support.metrics import Counters
from nayer.errors import NayerError

NAMES = ("start_lab", "redraws", "pause", "resume", "step", "pace", "change", "burst", "leave", "revive", "stop")
WAITING = ("redraws", "change", "burst", "revive")  # those that wait for a run's answer, or for the disk


def command_routes(
    commands: Commands,
    counters: Counters,
    asking: FairExecutor,
    entered: Callable[[Request], None] = lambda request: None,
) -> APIRouter:
    """POST a list of arguments; the answer is {told} or {error}, one sentence. `asking`: turns of those that wait.
    `entered` hears of each request before its command begins."""
    router = APIRouter()

    @router.post("/command/{name}")
    async def command(name: str, arguments: list[Any], request: Request) -> Response:
        if name not in NAMES:
            return JSONResponse({"error": f"command={name[:40]!r} does not exist."}, status_code=404)
        method = getattr(commands, name)
        try:
            inspect.signature(method).bind(*arguments)
        except TypeError:
            return JSONResponse({"error": f"{name} takes other arguments."}, status_code=422)
        entered(request)
        try:
            answer = (
                method(*arguments) if inspect.iscoroutinefunction(method) else run_in_threadpool(method, *arguments)
            )
            return JSONResponse({"told": await answer})
        except Busy as error:
            return await busy(error)
        except NayerError as error:
            counters.answered(422)  # for all that it is told politely
            return JSONResponse({"error": str(error)})

    return router
