"""The finished examples of the lab and the lessons, which the project recorded: `python -m app.examples` makes them."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.api.cache_control import AN_HOUR
from nayer.common.paths import ASSETS

EXAMPLES = ASSETS / "examples"


def example_files() -> dict[str, Path]:
    """The files by the name of the example."""
    return {path.stem: path for path in sorted(EXAMPLES.glob("*.json"))}


def example_routes() -> APIRouter:
    """GET /examples/NAME.json: the files that are there when the server starts, and no others."""
    router = APIRouter()
    files = {name: path.read_bytes() for name, path in example_files().items()}

    @router.get("/examples/{name}.json")
    def example(name: str) -> Response:
        content = files.get(name)
        if content is None:
            return JSONResponse({"error": "There is no such example."}, status_code=404)
        return Response(content, media_type="application/json", headers=AN_HOUR)

    return router
