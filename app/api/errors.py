"""What a route answers when it raises: one handler for each kind of exception."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from app.api.cache_control import NOT_KEPT
from app.api.validation import answer_invalid_request
from app.fairness.fair_executor import AGAIN, Busy
from app.runs.live_run import NoSuchArm
from app.runs.registry import NoSuchRun, TooManyGuesses
from app.support.worker_process import WorkerLost
from nayer.errors import NayerError

BUSY_SECONDS = 1.0  # a refusal waits this long; the wait costs nothing


async def busy(request: Request, error: Exception) -> Response:
    """429 when an address asks for too much at once. The answer waits, so that a client's loop stays slow."""
    assert isinstance(error, Busy)
    await asyncio.sleep(BUSY_SECONDS)
    return JSONResponse({"error": str(error)}, status_code=429, headers=error.headers)


async def gone(request: Request, error: Exception) -> Response:
    """404 for an unknown run or arm, and 429 for an address that named too many unknown runs."""
    status = 429 if isinstance(error, TooManyGuesses) else 404
    return JSONResponse({"error": str(error)}, status_code=status, headers=NOT_KEPT)


async def lost(request: Request, error: Exception) -> Response:
    """503 when the server cannot make the answer now. Retry-After gives the seconds until the next try."""
    return JSONResponse({"error": str(error)}, status_code=503, headers=NOT_KEPT | {"Retry-After": str(AGAIN)})


async def conflict(request: Request, error: Exception) -> Response:
    """409 if a run cannot answer now, with a sentence that gives the reason."""
    return JSONResponse({"error": str(error)}, status_code=409, headers=NOT_KEPT)


def add_handlers(application: FastAPI) -> None:
    """Adds a handler for each of these exceptions to `application`, the most specific first."""
    application.add_exception_handler(RequestValidationError, answer_invalid_request)
    application.add_exception_handler(Busy, busy)
    application.add_exception_handler(NoSuchRun, gone)
    application.add_exception_handler(NoSuchArm, gone)
    application.add_exception_handler(WorkerLost, lost)
    application.add_exception_handler(NayerError, conflict)
