"""What an exception of a route answers: one handler for each kind, so that a route says only what it does."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from app.api.validation import misfit
from app.fairness.fair_executor import Busy
from app.runs.live_run import NoSuchArm
from app.runs.registry import NoSuchRun, TooManyGuesses
from nayer.errors import NayerError

BUSY_SECONDS = 1.0  # that a refusal waits, in which it costs nothing
_NOT_KEPT = {"Cache-Control": "no-store"}


async def busy(request: Request, error: Exception) -> Response:
    """429 for whoever asks for more at once than their address may; after a moment, so that no loop asks for it."""
    assert isinstance(error, Busy)
    await asyncio.sleep(BUSY_SECONDS)
    return JSONResponse({"error": str(error)}, status_code=429, headers=error.headers)


async def gone(request: Request, error: Exception) -> Response:
    """404 for a run or an arm that is not here, and 429 for whoever named too many such."""
    status = 429 if isinstance(error, TooManyGuesses) else 404
    return JSONResponse({"error": str(error)}, status_code=status, headers=_NOT_KEPT)


async def conflict(request: Request, error: Exception) -> Response:
    """409 for what a run cannot give now: the sentence says why."""
    return JSONResponse({"error": str(error)}, status_code=409, headers=_NOT_KEPT)


def add_handlers(application: FastAPI) -> None:
    """Has every route of `application` answer these exceptions, the most special first."""
    application.add_exception_handler(RequestValidationError, misfit)
    application.add_exception_handler(Busy, busy)
    application.add_exception_handler(NoSuchRun, gone)
    application.add_exception_handler(NoSuchArm, gone)
    application.add_exception_handler(NayerError, conflict)
