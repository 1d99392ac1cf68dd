"""The routes of an image that a visitor tries. A request holds the pixels; the server keeps nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from app.api.cache_control import A_DAY, AN_HOUR_FOR_ONE, NOT_KEPT
from app.api.validation import Whole, Wholes
from app.fairness.fair_executor import FairExecutor
from app.runs.real_strips import RealStrips
from app.runs.trials import Trials
from nayer.errors import ConfigError
from nayer.networks.specs import SIDES

MOST_NUMBERS = 3 * SIDES[1] ** 2  # numbers in the largest image that a network takes

Level = Annotated[int, Field(strict=True, ge=0, le=255)]


class TriedImage(BaseModel):
    """An image in the data set's own form: all rows of the first channel, then of the next."""

    model_config = ConfigDict(extra="forbid")

    pixels: Annotated[list[Level], Field(max_length=MOST_NUMBERS)]


def trial_routes(trials: Trials, strips: RealStrips, turns: FairExecutor) -> APIRouter:
    """POST `pixels`; the answer has the probabilities of teacher, student and untrained student. `strips`: real
    test images, one of each class. `turns`: a visitor's image waits for a turn of their address."""
    router = APIRouter()

    async def answered(call: Callable[[], dict[str, Any] | bytes]) -> Response:
        try:
            answer = await turns.run(call)
            if answer == b"":
                return Response(status_code=204, headers=NOT_KEPT)
            if isinstance(answer, bytes):
                return Response(answer, media_type="image/jpeg", headers=AN_HOUR_FOR_ONE)
            return JSONResponse(answer, headers=NOT_KEPT)
        except ConfigError as error:
            return JSONResponse({"error": str(error)}, status_code=422, headers=NOT_KEPT)

    @router.post("/live/{run}/try")
    @router.post("/live/{run}/arm/{arm}/try")
    async def of_run(run: str, image: TriedImage, arm: Whole = 0) -> Response:
        return await answered(lambda: trials.of_run(run, arm, image.pixels))

    @router.get("/live/{run}/real")
    async def real_of_run(run: str, label: Whole = 0, pick: Whole = 0, arm: Whole = 0) -> Response:
        return await answered(lambda: trials.real_of_run(run, arm, label, pick))

    @router.get("/live/{run}/tested.jpg")
    async def tested(run: str, places: Wholes) -> Response:
        """Test images side by side; `places` are their numbers in the answers of the run, separated by commas."""
        return await answered(lambda: trials.tested(run, [int(place) for place in places.split(",") if place]))

    @router.post("/teacher/{name}/try")
    async def of_teacher(name: str, image: TriedImage) -> Response:
        return await answered(lambda: trials.of_teacher(name, image.pixels))

    @router.get("/teacher/{name}/real.jpg")
    async def strip_of_teacher(name: str, pick: Whole = 0) -> Response:
        content = await turns.run(lambda: strips.picture(name, pick))
        if content is None:
            return JSONResponse({"error": f"teacher={name[:60]!r} has no test images on this server."}, status_code=404)
        return Response(content, media_type="image/jpeg", headers=A_DAY)

    @router.get("/teacher/{name}/real")
    async def real_of_teacher(name: str, label: Whole = 0, pick: Whole = 0) -> Response:
        return await answered(lambda: trials.real_of_teacher(name, label, pick))

    return router
