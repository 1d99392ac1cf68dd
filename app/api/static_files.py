"""The page's scripts and style sheets: their folders, their addresses, and how they load."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.api.cache_control import FOREVER, NOT_KEPT
from app.web_page.one_script import STATIC

ROOMS = ("core", "charts", "panels", "live", "lab", "lessons", "embeddings", "runs", "status")  # each imports earlier
_COMMENT = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*$", re.DOTALL | re.MULTILINE)  # on lines of its own
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def static_files() -> dict[str, Path]:
    """The files that are served, by their address: the room and the name, as in `core/dom.js`."""
    return {
        path.relative_to(STATIC).as_posix(): path
        for room in ROOMS
        for path in sorted((STATIC / room).iterdir())
        if path.suffix in _TYPES
    }


def static_version() -> str:
    """A name for the present state of the files: part of their address, so that browsers may keep them."""
    digest = hashlib.sha256()
    for name, path in static_files().items():
        digest.update(name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def style_sheets() -> list[str]:
    """The addresses of the page's style sheets in the order of the rooms: a later one overrides an earlier one."""
    return [name for name in static_files() if name.endswith(".css")]


def load_script(name: str, *given: str) -> str:
    """The code that Gradio runs when an element exists: it imports a script and mounts it.

    `name` is the script's address; `given` are the names that Gradio has ready: element, props, trigger, watch.
    """
    if name not in static_files():
        raise ValueError(f"name={name!r} is no static file; use one of {', '.join(static_files())}.")
    return (
        f"const address = new URL('stage/' + props.version + '/{name}', document.baseURI).href;\n"
        f"import(address).then((script) => script.mount({{ {', '.join(given)} }}));"
    )


def served(path: Path) -> bytes:
    """The content that a browser gets: without comments and indents, a quarter of the bytes.

    Every line keeps its number.
    """
    bare = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), path.read_text("utf-8"))
    return _INDENT.sub("", bare).encode()


def static_routes() -> APIRouter:
    """GET /stage/VERSION/ROOM/NAME: the files that are there when the server starts, and no others."""
    router, present = APIRouter(), static_version()
    files = {name: (served(path), _TYPES[path.suffix]) for name, path in static_files().items()}

    @router.get("/stage/{version}/{name:path}")
    def static(version: str, name: str) -> Response:
        if name not in files:
            return JSONResponse({"error": "There is no such file."}, status_code=404)
        content, kind = files[name]
        headers = FOREVER if version == present else NOT_KEPT  # or a cache would keep this content for another version
        return Response(content, media_type=kind, headers=headers)

    return router
