"""The routes of recorded runs: their news, their pictures and their networks."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from app.api.cache_control import A_DAY, NOT_KEPT
from app.api.validation import Whole
from app.fairness.fair_executor import FairExecutor
from app.fairness.request_slots import FINDING
from app.middleware.lanes import Lanes
from app.run_state.replay import Replay
from app.runs.recordings import Recordings


def replay_routes(kept: Recordings, turns: FairExecutor) -> APIRouter:
    """GET a run's timeline, its frames, and its networks by round. `turns`: a run is folded, and its networks are put
    together, once for all who ask at the same time."""
    router, finding = APIRouter(), Lanes(FINDING)

    async def folded(run: str) -> Replay:
        async with finding.turn():
            replay = await run_in_threadpool(kept.folded, run)
        return replay if replay is not None else await turns.run(lambda: kept.of(run), key=("replay", run))

    @router.get("/live/{run}/replay/timeline")
    async def timeline(run: str) -> Response:
        return Response((await folded(run)).timeline, media_type="application/json", headers=NOT_KEPT)

    @router.get("/live/{run}/replay/frame/{seq}.jpg")
    async def frame(run: str, seq: Whole) -> Response:
        picture = await run_in_threadpool((await folded(run)).frame, seq)
        if picture is None:
            return JSONResponse({"error": f"frame={seq} is not part of this recording."}, status_code=404)
        return Response(picture, media_type="image/jpeg", headers=A_DAY)

    @router.get("/live/{run}/replay/networks")
    async def networks(run: str) -> Response:
        content = await turns.run(lambda: kept.networks(run), key=("networks", run))
        if not content:
            return Response(status_code=204, headers=NOT_KEPT)
        return Response(content, media_type="application/json", headers=NOT_KEPT)

    return router
