"""What a route answers when it raises: one handler for each kind of exception."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from app.api.validation import misfit
from app.fairness.fair_executor import AGAIN, Busy
from app.runs.live_run import NoSuchArm
from app.runs.registry import NoSuchRun, TooManyGuesses
from app.support.worker_process import WorkerLost
from nayer.errors import NayerError

BUSY_SECONDS = 1.0  # that a refusal waits, in which it costs nothing
_NOT_KEPT = {"Cache-Control": "no-store"}


async def busy(request: Request, error: Exception) -> Response:
    """429 where an address asks for more at once than it may. The answer waits, so that no loop asks for it."""
    assert isinstance(error, Busy)
    await asyncio.sleep(BUSY_SECONDS)
    return JSONResponse({"error": str(error)}, status_code=429, headers=error.headers)


async def gone(request: Request, error: Exception) -> Response:
    """404 for a run or an arm that is not here, and 429 for an address that named too many such."""
    status = 429 if isinstance(error, TooManyGuesses) else 404
    return JSONResponse({"error": str(error)}, status_code=status, headers=_NOT_KEPT)


async def lost(request: Request, error: Exception) -> Response:
    """503 for what could not be made now, with the seconds after which to ask again."""
    return JSONResponse({"error": str(error)}, status_code=503, headers=_NOT_KEPT | {"Retry-After": str(AGAIN)})


async def conflict(request: Request, error: Exception) -> Response:
    """409 for what a run cannot give now: the sentence says why."""
    return JSONResponse({"error": str(error)}, status_code=409, headers=_NOT_KEPT)


def add_handlers(application: FastAPI) -> None:
    """Has every route of `application` answer these exceptions, the most special first."""
    application.add_exception_handler(RequestValidationError, misfit)
    application.add_exception_handler(Busy, busy)
    application.add_exception_handler(NoSuchRun, gone)
    application.add_exception_handler(NoSuchArm, gone)
    application.add_exception_handler(WorkerLost, lost)
    application.add_exception_handler(NayerError, conflict)
