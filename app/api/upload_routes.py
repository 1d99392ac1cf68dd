"""The one route that takes files: a teacher's two, and test images. They arrive first and then wait for a turn."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.api.validation import LONGEST
from app.fairness.fair_executor import Busy, FairExecutor
from app.fairness.upload_slots import ActiveUploads, TooSlow
from app.middleware.json_body import TEACHERS
from app.runs.manager import RunManager
from app.runs.uploaded_teachers import Uploads
from app.support.class_names import split
from nayer.errors import ConfigError, NayerError
from nayer.teachers.upload import UploadedTeacher
from nayer.text_rules import text_error

LONGEST_NAMES = 32_000  # characters; 200 names of 64 characters with separators take half of it
_FILES = ("config", "weights", "tests", "judge_config", "judge_weights")


def bringing_route(
    registry: RunManager, uploads: Uploads, turns: FairExecutor, arrivals: ActiveUploads | None = None
) -> APIRouter:
    """POST a multipart form: `config` (config.json), `weights` (model.safetensors), perhaps `tests` (a zip or parquet
    file), `judge_config` and `judge_weights` (those of its judge), `classes` (names, one a line) and `token`. The
    answer is {teacher, token, …} or {error}, one sentence."""
    router = APIRouter()
    arriving = arrivals or ActiveUploads()

    def taken(form: FormData) -> dict[str, Any]:
        uploaded, token = _uploaded(form), _word(form, "token", LONGEST)
        owner = registry.visitor(token)
        return {"teacher": uploaded.name, "token": owner} | uploads.bring(owner, uploaded)

    @router.post(TEACHERS)
    async def bring(request: Request) -> Response:
        try:
            with arriving.enter() as arrival:
                # The files are on the disk, without a name. Only a turn reads their bytes into memory.
                form = await _form(arrival.request(request))
                try:
                    return JSONResponse(await turns.run(lambda: taken(form)))
                finally:
                    await form.close()
        except Busy:
            raise
        except HTTPException as error:  # from the reader of forms
            why = f"the form cannot be read ({str(error.detail).rstrip('.')})"
            return JSONResponse({"error": f"{why}; send multipart/form-data with config and weights."}, status_code=400)
        except TooSlow as error:
            return JSONResponse({"error": str(error)}, status_code=408, headers={"Connection": "close"})
        except ClientDisconnect:
            return Response(status_code=408)  # the client is gone and gets no answer
        except NayerError as error:
            return JSONResponse({"error": str(error)})

    return router


async def _form(request: Request) -> FormData:
    return await request.form(max_files=len(_FILES), max_fields=2, max_part_size=4 * LONGEST_NAMES)


def _uploaded(form: FormData) -> UploadedTeacher:
    config, weights, tests, *judge = [_bytes(form, name) for name in _FILES]
    if not config or not weights:
        missing = "config" if not config else "weights"
        raise ConfigError(f"{missing} is missing; send config.json and model.safetensors together.")
    return UploadedTeacher(config, weights, tuple(split(_word(form, "classes", LONGEST_NAMES))), tests, *judge)


def _bytes(form: FormData, name: str) -> bytes:
    part = form.get(name)
    if isinstance(part, str):
        raise ConfigError(f"{name} is a text; send it as a file.")
    return part.file.read() if isinstance(part, UploadFile) else b""


def _word(form: FormData, name: str, longest: int) -> str:
    part = form.get(name, "")
    if not isinstance(part, str) or len(part) > longest:
        raise ConfigError(f"{name} must be a text of at most {longest:,} characters.")
    if wrong := text_error(part, name):
        raise ConfigError(wrong)
    return part
