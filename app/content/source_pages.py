"""The project's own source as plain pages: an explanation can link to the lines of code, on any server."""

from __future__ import annotations

import ast
from functools import cache
from html import escape
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse, JSONResponse

from app.content.help import explanations, explanations_json

ROOT = Path(__file__).parents[2]
_STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1b2433; --paper: #f6f7f9; --quiet: #566174; --lit: #fff0c4; --primary: #0a66a8;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6ebf3; --paper: #0e131c; --quiet: #a3afc1; --lit: #3a2f14; --primary: #56a8e0; }
}
body { margin: 0 auto; max-width: 1000px; padding: 16px; background: var(--paper); color: var(--ink); }
body { font: 14px/1.5 system-ui, sans-serif; }
a { color: var(--primary); }
pre { overflow-x: auto; font: 13px/1.55 ui-monospace, Menlo, Consolas, monospace; }
i { display: inline-block; width: 4ch; margin-right: 2ch; text-align: right; font-style: normal; color: var(--quiet); }
i { user-select: none; }
span:target { scroll-margin-top: 3em; background: var(--lit); box-shadow: -8px 0 0 var(--lit); }
"""


def code_routes() -> APIRouter:
    """GET /explained, the table; GET /code/FILE, the source of a file in the table. Other files are not served."""
    router = APIRouter()
    table = explanations()
    files = {one.file for one in table.values()}

    @router.get("/explained")
    def explained() -> Response:
        return JSONResponse(explanations_json(table), headers={"Cache-Control": "no-cache"})

    @router.get("/code/{file:path}")
    def code(file: str) -> Response:
        if file not in files:
            return JSONResponse({"error": "There is no such file."}, status_code=404)
        return HTMLResponse(source_page(file))

    return router


@cache
def source_page(file: str) -> str:
    """The file with its lines numbered; each definition can be linked to by its name, as in `#Pool.sample`."""
    source = (ROOT / file).read_text("utf-8")
    lines = [f"<i>{number}</i>{escape(line)}" for number, line in enumerate(source.splitlines(), 1)]
    for name, (first, last) in sorted(places(source).items(), key=lambda place: -place[1][0]):
        lines[first - 1] = f'<span id="{escape(name)}">{lines[first - 1]}'
        lines[last - 1] += "</span>"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(file)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(file)}</h1>"
        f'<pre tabindex="0">{chr(10).join(lines)}</pre></main></body></html>'
    )


def places(source: str) -> dict[str, tuple[int, int]]:
    """First and last line of every class, function and assignment by its name, methods as `Class.method`."""
    found: dict[str, tuple[int, int]] = {}

    def walk(body: list[ast.stmt], before: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found[before + node.name] = (node.lineno, node.end_lineno or node.lineno)
                if isinstance(node, ast.ClassDef):
                    walk(node.body, f"{before}{node.name}.")
            for target in _targets(node):
                found[before + target] = (node.lineno, node.end_lineno or node.lineno)

    walk(ast.parse(source).body, "")
    return found


def _targets(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
