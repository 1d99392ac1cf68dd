"""The route of a class: what the teacher with a code shows."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.runs.class_codes import ClassCodes


def join_routes(codes: ClassCodes) -> APIRouter:
    """GET /join/CODE: the run and where it is shown. 404 for a code of no class, 429 after many of those."""
    router = APIRouter()

    @router.get("/join/{code}")
    def join(code: str) -> Response:
        shown = codes.of(code)
        return JSONResponse({"run": shown.run, "place": shown.place}, headers={"Cache-Control": "no-store"})

    return router
