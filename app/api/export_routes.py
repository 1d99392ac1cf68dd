"""The route of a finished run's files."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse

from app.api.live_routes import busy, gone, lost
from app.fairness.fair_executor import Busy
from app.fairness.request_slots import Sending
from app.runs.exports import Exports
from app.runs.registry import NoSuchRun
from app.support.worker_process import WorkerLost
from nayer.errors import NayerError

_TYPES = {
    "gif": "image/gif",
    "png": "image/png",
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "json": "application/json",
    "py": "text/x-python",
    "txt": "text/plain; charset=utf-8",
    "zip": "application/zip",
}


def export_route(exports: Exports) -> APIRouter:
    """GET one of a finished run's files."""
    router = APIRouter()
    sending = Sending()

    @router.get("/live/{run}/export/{name}")
    async def export(run: str, name: str, request: Request) -> Response:
        try:
            version = await run_in_threadpool(exports.version, run)
            tag = f'"{version}"'
            if tag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "no-cache"})
            content = await exports.of(run, name, version)
        except Busy as error:
            return await busy(error)
        except WorkerLost as error:
            return lost(error)
        except NoSuchRun as error:
            return gone(error)
        except NayerError as error:
            return JSONResponse({"error": str(error)}, status_code=409, headers={"Cache-Control": "no-store"})
        headers = {
            "Cache-Control": "no-cache",  # kept, but asked about each time: a run can go on
            "ETag": tag,
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(len(content)),
        }
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        return StreamingResponse(sending.pieces(content), media_type=kind, headers=headers)

    return router
