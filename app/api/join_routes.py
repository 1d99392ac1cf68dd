"""The route of a class: what the teacher with a code shows."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.api.cache_control import NOT_KEPT
from app.runs.class_codes import ClassCodes, NoSuchCode


def join_routes(codes: ClassCodes) -> APIRouter:
    """GET /join/CODE: the run and where it is shown, or one sentence for a code of no class; 429 after many such."""
    router = APIRouter()

    @router.get("/join/{code}")
    def join(code: str) -> Response:
        try:
            shown = codes.find(code)
        except NoSuchCode as error:  # people mistype: an answer, no failed request
            return JSONResponse({"error": str(error)}, headers=NOT_KEPT)
        return JSONResponse({"run": shown.run, "place": shown.place}, headers=NOT_KEPT)

    return router
