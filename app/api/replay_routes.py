"""The routes of recorded runs: their news, their pictures and their networks."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.api.validation import Whole
from app.fairness.fair_executor import FairExecutor
from app.runs.recordings import Recordings

_ONCE = {"Cache-Control": "no-store"}
_A_DAY = {"Cache-Control": "public, max-age=86400"}


def replay_routes(kept: Recordings, turns: FairExecutor) -> APIRouter:
    """GET a run's timeline, its frames, and its networks by round. `turns`: the networks of a run are put together
    once, for all who ask at the same time."""
    router = APIRouter()

    @router.get("/live/{run}/replay/timeline")
    def timeline(run: str) -> Response:
        return Response(kept.of(run).timeline, media_type="application/json", headers=_ONCE)

    @router.get("/live/{run}/replay/frame/{seq}.jpg")
    def frame(run: str, seq: Whole) -> Response:
        picture = kept.of(run).frame(seq)
        if picture is None:
            return JSONResponse({"error": f"frame={seq} is not part of this recording."}, status_code=404)
        return Response(picture, media_type="image/jpeg", headers=_A_DAY)

    @router.get("/live/{run}/replay/networks")
    async def networks(run: str) -> Response:
        content = await turns.run(lambda: kept.networks(run), key=("networks", run))
        if not content:
            return Response(status_code=204, headers=_ONCE)
        return Response(content, media_type="application/json", headers=_ONCE)

    return router
