"""What our addresses answer to a method that they do not have: 405 with one sentence, as HTTP wants it.

Gradio is behind our routes at the same addresses. It would answer 404, as if there were nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.routing import Route

METHODS = frozenset({"GET", "POST"})  # of this server; HEAD is answered as GET


def refuse_wrong_methods(application: FastAPI) -> None:
    """Adds a route for each address of ours and each method that it lacks. Call it after all other routes of ours."""
    known: dict[str, set[str]] = defaultdict(set)
    for path, methods in _ours(application.routes):
        known[path] |= methods
    for path, methods in known.items():
        if missing := sorted(METHODS - methods):
            answer = partial(_refuse, sorted(methods & METHODS))
            application.router.routes.append(Route(path, answer, methods=missing))


async def _refuse(methods: list[str], request: Request) -> JSONResponse:
    sentence = f"method={request.method!r} is not used at this address; use {', '.join(methods)}."
    return JSONResponse({"error": sentence}, status_code=405, headers={"Allow": ", ".join(methods)})


def _ours(found: Iterable[Any]) -> Iterator[tuple[str, set[str]]]:
    """Path and methods of each route, also of those in an included router."""
    for route in found:
        if hasattr(route, "original_router"):
            yield from _ours(route.original_router.routes)
        else:
            yield route.path, set(route.methods or ())
