"""A run's files for whoever knows its id: one by one, or all in a zip."""

from __future__ import annotations

import threading

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.recordings import Recordings
from app.sessions import Registry
from app.shelf import NoSuchRun
from nayer.errors import ConfigError, NayerError

ALL = "nayer-run.zip"
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


class Exports:
    """Made on request, one run at a time; the latest run's are kept for the next request."""

    def __init__(self, registry: Registry, recordings: Recordings) -> None:
        self._registry = registry
        self._recordings = recordings
        self._making = threading.Lock()
        self._latest: tuple[str, dict[str, bytes]] = ("", {})

    def of(self, run_id: str, name: str) -> bytes:
        """One of the files, or all. NoSuchRun for an unknown run, ConfigError for an unknown file or a run that goes
        on."""
        from nayer.bundle import files, zipped

        with self._making:
            if self._latest[0] != run_id:
                events = self._recordings.events(run_id)
                self._latest = run_id, files(events, self._student(run_id))
            found = self._latest[1]
            if name == ALL:
                return zipped(found)
        if name not in found:
            raise ConfigError(f"file={name[:40]!r} is none of this run's; use {', '.join(found)} or {ALL}.")
        return found[name]

    def _student(self, run_id: str) -> bytes:
        """From the history, or from the run itself while it is in memory; nothing for a recording."""
        store = self._registry.keeping.store
        kept = store.file(run_id, "student-0") if store is not None else None
        if kept is not None:
            return kept[0]
        run = self._registry.find(run_id)
        try:
            return run.ask(lambda source: source.student(0))
        except NayerError:
            return b""


def export_route(exports: Exports) -> APIRouter:
    """GET one of a finished run's files."""
    router = APIRouter()

    @router.get("/live/{run}/export/{name}")
    def export(run: str, name: str) -> Response:
        try:
            content = exports.of(run, name)
        except NayerError as error:
            status = 404 if isinstance(error, NoSuchRun) else 409
            return JSONResponse({"error": str(error)}, status_code=status, headers={"Cache-Control": "no-store"})
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=kind, headers=headers)

    return router
