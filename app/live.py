"""The plain routes that the stage polls: what is new as JSON, pictures as JPEG, the page's own script and style."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, JSONResponse

from app.payload import payload
from app.plots import sheet
from app.sessions import NoSuchRun, Registry

STATIC = Path(__file__).parent / "static"
_FOREVER = "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def static_version() -> str:
    """A name for the present state of the static files: part of their address, so that browsers may keep them."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def routes(registry: Registry, umap: Callable[[str], dict[str, object]]) -> APIRouter:
    """`umap` gives the state of a run's UMAP map, and warms the worker at the first call."""
    router = APIRouter()
    drawing = threading.Lock()  # a sheet takes a second of a core: one at a time
    files = {path.name: path for path in STATIC.iterdir() if path.suffix in _TYPES}

    @router.get("/live/{run}/status")
    def status(run: str, since: int = 0) -> Response:
        try:
            view = registry.look(run).refresh()
        except NoSuchRun as error:
            return _gone(error)
        news = payload(view, since)
        if news is None:
            return Response(status_code=204)
        return JSONResponse(news, headers={"Cache-Control": "no-store"})

    @router.get("/live/{run}/frame/{seq}.jpg")
    def frame(run: str, seq: int) -> Response:
        try:
            picture = registry.find(run).frame(seq)
        except NoSuchRun as error:
            return _gone(error)
        if picture is None:
            return JSONResponse({"error": f"frame={seq} is not kept any more."}, status_code=404)
        return Response(picture, media_type="image/jpeg", headers={"Cache-Control": _FOREVER})

    @router.get("/live/{run}/sheet.png")
    def picture(run: str) -> Response:
        try:
            view = registry.find(run).refresh()
        except NoSuchRun as error:
            return _gone(error)
        with drawing:
            png = sheet(view)
        return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})

    @router.get("/live/{run}/umap")
    def umap_map(run: str) -> Response:
        try:
            return JSONResponse(umap(run), headers={"Cache-Control": "no-store"})
        except NoSuchRun as error:
            return _gone(error)

    @router.get("/stage/{version}/{name}")
    def static(version: str, name: str) -> Response:
        path = files.get(name)
        if path is None:
            return JSONResponse({"error": "There is no such file."}, status_code=404)
        return FileResponse(path, media_type=_TYPES[path.suffix], headers={"Cache-Control": _FOREVER})

    return router


def _gone(error: NoSuchRun) -> Response:
    return JSONResponse({"error": str(error)}, status_code=404, headers={"Cache-Control": "no-store"})
