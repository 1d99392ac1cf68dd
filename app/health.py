"""Whether this process is well, for whoever watches over it: one small answer, nothing about any visitor."""

from __future__ import annotations

import time
from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.sessions import Registry

_TOLD = ("gradio", "torch", "transformers", "fastapi")


def health_route(registry: Registry) -> APIRouter:
    """GET /health: 200 while runs can be started, 503 once no place is left that could ever come free."""
    router = APIRouter()
    began = time.monotonic()

    @router.get("/health")
    def health() -> Response:
        counts = registry.counts()
        ready = counts["lost"] < counts["capacity"]
        facts: dict[str, Any] = {"ready": ready, "degraded": counts["lost"] > 0} | counts
        facts |= {
            "kept": registry.keeping.sentence or "on disk",
            "up_seconds": round(time.monotonic() - began),
            "versions": _versions(),
        }
        return JSONResponse(facts, status_code=200 if ready else 503, headers={"Cache-Control": "no-store"})

    return router


@cache
def _versions() -> dict[str, str]:
    return {name: version(name) for name in _TOLD}
