"""The route of a finished run's files."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from app.fairness.request_slots import Sending
from app.runs.exports import Exports

_TYPES = {
    "gif": "image/gif",
    "png": "image/png",
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "json": "application/json",
    "py": "text/x-python",
    "html": "text/html; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "yaml": "application/yaml",
    "zip": "application/zip",
}


def export_route(exports: Exports) -> APIRouter:
    """GET one of a finished run's files."""
    router = APIRouter()
    sending = Sending()

    @router.get("/live/{run}/export/{name}")
    async def export(run: str, name: str, request: Request) -> Response:
        version = await run_in_threadpool(exports.version, run)
        tag = f'"{version}"'
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "no-cache"})
        content = await exports.of(run, name, version)
        headers = {
            "Cache-Control": "no-cache",  # a browser keeps the file but checks it each time: a run can continue
            "ETag": tag,
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(len(content)),
        }
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        return StreamingResponse(sending.pieces(content), media_type=kind, headers=headers)

    return router
