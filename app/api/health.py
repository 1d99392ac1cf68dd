"""The health of this process, for monitoring: one small answer, nothing about any visitor."""

from __future__ import annotations

import time
from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.api.cache_control import NOT_KEPT
from app.runs.manager import RunManager

_TOLD = ("gradio", "torch", "transformers", "fastapi")


def health_route(registry: RunManager) -> APIRouter:
    """GET /health: 200 while runs can start, 503 when no place can ever become free."""
    router = APIRouter()
    began = time.monotonic()

    @router.get("/health")
    def health() -> Response:
        facts = state(registry) | {"up_seconds": round(time.monotonic() - began)}
        return JSONResponse(facts, status_code=200 if facts["ready"] else 503, headers=NOT_KEPT)

    return router


def state(registry: RunManager) -> dict[str, Any]:
    """Numbers: places, waiting runs, waiting times, counts since the server started, and stored runs."""
    counts = registry.counts()
    kept = registry.history.size()
    return {
        "ready": counts["lost"] < counts["capacity"],
        "degraded": counts["lost"] > 0 or registry.history.fails,
        **counts,
        "waits": registry.waits(),
        "runs": registry.counters.runs(),
        "refused": registry.counters.refusals(),
        "kept": registry.history.sentence or "on disk",
        "storage": {"runs": kept[0], "megabytes": round(kept[1], 1), "of": round(kept[2])},
        "versions": _versions(),
    }


@cache
def _versions() -> dict[str, str]:
    return {name: version(name) for name in _TOLD}
