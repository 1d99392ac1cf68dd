"""The public commands once more, for the page's own script: there a refusal is an answer, not a failed request."""

from __future__ import annotations

import inspect
from typing import Any

import gradio as gr
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from gradio.context import LocalContext

from app.commands import Commands
from app.counters import Counters
from app.live import busy
from app.turns import Busy, Turns

NAMES = ("start_lab", "redraws", "pause", "resume", "step", "pace", "change", "burst", "leave", "revive", "stop")
WAITING = ("redraws", "change", "burst", "revive")  # those that wait for a run's answer, or for the disk


def command_routes(commands: Commands, counters: Counters, asking: Turns) -> APIRouter:
    """POST a list of arguments; the answer is {told} or {error}, one sentence. `asking`: turns of those that wait."""
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
        LocalContext.request.set(gr.Request(request))  # as in Gradio's own events: a GPU is lent to who asks
        try:
            answer = (
                method(*arguments) if inspect.iscoroutinefunction(method) else run_in_threadpool(method, *arguments)
            )
            return JSONResponse({"told": await answer})
        except Busy as error:
            return await busy(error)
        except gr.Error as error:
            counters.answered(422)  # for all that it is told politely
            return JSONResponse({"error": error.message})

    return router
