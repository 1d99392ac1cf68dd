"""The route that tells about how long a run would take."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from app.api.cache_control import NOT_KEPT
from app.api.commands import Commands
from app.api.validation import Values, Word
from app.fairness.fair_executor import FairExecutor
from nayer.errors import NayerError


class RunForm(BaseModel):
    """A run as a form holds it."""

    model_config = ConfigDict(extra="forbid")

    preset: Word
    settings: Values = Field(default_factory=dict)
    token: Word = ""


def duration_routes(commands: Commands, turns: FairExecutor) -> APIRouter:
    """POST a preset and settings; the answer has `seconds`, or null where the server cannot tell."""
    router = APIRouter()

    @router.post("/duration")
    async def duration(wanted: RunForm) -> Response:
        def answer() -> Response:
            try:
                seconds = commands.duration(wanted.preset, wanted.settings, wanted.token)
            except NayerError:  # Play says what is wrong with the settings
                seconds = None
            return JSONResponse({"seconds": seconds}, headers=NOT_KEPT)

        return await turns.run(answer)

    return router
