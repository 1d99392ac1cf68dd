"""The commands as routes for the page's own script. A refusal is an answer here, not a failed request."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from app.api.commands import COMMANDS, Commands
from app.fairness.fair_executor import Busy, FairExecutor
from app.support.metrics import Counters
from nayer.errors import NayerError

NAMES = tuple(one.name for one in COMMANDS if one.script)


def command_routes(
    commands: Commands,
    counters: Counters,
    asking: FairExecutor,
    checking: FairExecutor,
    entered: Callable[[Request], None] = lambda request: None,
) -> APIRouter:
    """POST a list of arguments; the answer is {told} or {error}, one sentence. `asking` gives turns to calls that wait,
    `checking` to those that check settings.
    `entered` is called with each request before its command begins."""
    router = APIRouter()
    methods = {one.name: one.of(commands, asking, checking) for one in COMMANDS if one.script}

    @router.post("/command/{name}")
    async def command(name: str, arguments: list[Any], request: Request) -> Response:
        if name not in methods:
            return JSONResponse({"error": f"command={name[:40]!r} does not exist."}, status_code=404)
        method = methods[name]
        try:
            inspect.signature(method).bind(*arguments)
        except TypeError:
            return JSONResponse({"error": f"{name} takes other arguments."}, status_code=422)
        entered(request)
        try:
            waits = inspect.iscoroutinefunction(method)
            answer = method(*arguments) if waits else run_in_threadpool(method, *arguments)
            return JSONResponse({"told": await answer})
        except Busy:
            raise
        except NayerError as error:
            counters.answered(422)  # although the answer itself is a polite sentence
            return JSONResponse({"error": str(error)})

    return router
