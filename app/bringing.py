"""The one route that takes files: a teacher's two, and test images, within bounds, two at a time."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import FormData, UploadFile

from app.arguments import LONGEST
from app.bodies import TEACHERS
from app.names import split
from app.sessions import Registry
from app.uploads import Uploads
from nayer.brought import Brought
from nayer.errors import ConfigError, NayerError
from nayer.text_rules import complaint

AT_ONCE = 2  # files of so many visitors are read at the same time
ARRIVES_SECONDS = 60.0  # that a turn waits for files: who sends a byte a second keeps nobody else from theirs
LONGEST_NAMES = 32_000  # characters; 200 names of 64 and what parts them are half of it
_FILES = ("config", "weights", "tests")


def bringing_route(registry: Registry, uploads: Uploads) -> APIRouter:
    """POST a multipart form: `config` (config.json), `weights` (model.safetensors), perhaps `tests` (a zip or parquet
    file), `classes` (names, one a line) and `token`. The answer is {teacher, token, …} or {error}, one sentence."""
    router = APIRouter()
    turns = asyncio.Semaphore(AT_ONCE)

    @router.post(TEACHERS)
    async def bring(request: Request) -> Response:
        async with turns:
            try:
                form = await asyncio.wait_for(_form(request), ARRIVES_SECONDS)
            except asyncio.TimeoutError:
                return JSONResponse({"error": "the files took too long to arrive; try again."}, status_code=408)
            try:
                brought, token = await _brought(form), _word(form, "token", LONGEST)
                owner = registry.visitor(token)
                answer = await asyncio.to_thread(uploads.bring, owner, brought)
            except NayerError as error:
                return JSONResponse({"error": str(error)})
            finally:
                await form.close()
        return JSONResponse({"teacher": brought.name, "token": owner} | answer)

    return router


async def _form(request: Request) -> FormData:
    return await request.form(max_files=len(_FILES), max_fields=2, max_part_size=4 * LONGEST_NAMES)


async def _brought(form: FormData) -> Brought:
    config, weights, tests = [await _bytes(form, name) for name in _FILES]
    if not config or not weights:
        missing = "config" if not config else "weights"
        raise ConfigError(f"{missing} is missing; bring config.json and model.safetensors together.")
    return Brought(config, weights, tuple(split(_word(form, "classes", LONGEST_NAMES))), tests)


async def _bytes(form: FormData, name: str) -> bytes:
    part = form.get(name)
    if isinstance(part, str):
        raise ConfigError(f"{name} is a text; send it as a file.")
    return await part.read() if isinstance(part, UploadFile) else b""


def _word(form: FormData, name: str, longest: int) -> str:
    part = form.get(name, "")
    if not isinstance(part, str) or len(part) > longest:
        raise ConfigError(f"{name} does not work; send a text of at most {longest:,} characters.")
    if wrong := complaint(part, name):
        raise ConfigError(wrong)
    return part
