"""The rooms of `nayer` and `app`: their order, their sentences, and the arrows between them, read from the imports.

`python -m tests.support.rooms` writes the list and the two pictures into CONTRIBUTING.md.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.support.repository import ROOT

# From the bottom up: a room may import the rooms before it, and no other. "." is the package itself.
ORDER = {
    "nayer": (
        "vocabulary",
        "common",
        "analysis",
        "networks",
        "embeddings",
        "data",
        "distillation",
        "exports",
        "teachers",
        "runs",
        "cluster",
        "compare",
        "cli",
        "entry",
    ),
    "app": (
        "content",
        "support",
        "middleware",
        "fairness",
        "run_state",
        "web_page",
        "storage",
        "runs",
        "embeddings",
        "api",
        "gradio_ui",
        "generated",
        "server",
    ),
}
# Files in the package itself, and the floor of each.
LOOSE = {
    "nayer": {
        "__init__": "vocabulary",
        "errors": "vocabulary",
        "types": "vocabulary",
        "measures": "vocabulary",
        "settings": "vocabulary",
        "config": "vocabulary",
        "presets": "vocabulary",
        "earlier_versions": "vocabulary",
        "events": "vocabulary",
        "text_rules": "vocabulary",
        "library": "entry",
        "__main__": "entry",
    },
    "app": {
        "__init__": "content",
        "environment": "server",
        "server": "server",
        "benchmark": "server",
        "examples": "server",
    },
}
SENTENCES = {  # for rooms without a folder, which have no `__init__`
    ("nayer", "vocabulary"): "Errors, settings, presets, events, array types: what every room speaks. No torch.",
    ("nayer", "entry"): "`library`, for other programs, and `python -m nayer`.",
    (
        "app",
        "server",
    ): "`server` wires and serves everything, as `environment` says; `benchmark` measures, `examples` records.",
}
START, END = "<!-- rooms: written by `make rooms` -->", "<!-- end of rooms -->"
PAGE = ROOT / "CONTRIBUTING.md"


def files(package: str) -> list[Path]:
    """Every Python file of the package."""
    return sorted((ROOT / package).rglob("*.py"))


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module a file imports, at its top or later, in full: `from nayer.runs import lab` is `nayer.runs.lab`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            module = str(node.module)
            found.add(module)
            folder = ROOT / module.replace(".", "/")
            found |= {f"{module}.{alias.name}" for alias in node.names if (folder / f"{alias.name}.py").is_file()}
    return frozenset(found)


def module_of(path: Path) -> str:
    """`nayer.distillation.losses`; a package's `__init__` is the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def room_of(module: str) -> str:
    """The room of a module, given in full."""
    package, *rest = module.split(".")
    if not rest:
        return LOOSE[package]["__init__"]
    if (ROOT / package / rest[0]).is_dir():
        return rest[0]
    return LOOSE[package][rest[0]]


def ours(path: Path, package: str) -> set[str]:
    """The modules of `package` that a file imports."""
    return {name for name in imports(path) if name.split(".")[0] == package}


def arrows(package: str) -> set[tuple[str, str]]:
    """(room, room that it imports), within one package."""
    found = set()
    for path in files(package):
        mine = room_of(module_of(path))
        found |= {(mine, other) for name in ours(path, package) if (other := room_of(name)) != mine}
    return found


def sentence(package: str, room: str) -> str:
    """The description of a room, from its `__init__`."""
    if (package, room) in SENTENCES:
        return SENTENCES[package, room]
    source = (ROOT / package / room / "__init__.py").read_text("utf-8")
    return " ".join((ast.get_docstring(ast.parse(source)) or "").split())


def picture(package: str) -> str:
    """A Mermaid chart: the rooms from the top down, an arrow from each to what it imports.

    An arrow that follows from two others is left out, to keep the picture readable.
    """
    found = arrows(package)
    below: dict[str, set[str]] = {}
    for room in ORDER[package]:  # from the bottom, so that lower rooms are known
        direct = {other for mine, other in found if mine == room}
        below[room] = direct.union(*(below[other] for other in direct)) if direct else set()
    lines = ["```mermaid", "flowchart TD"]
    lines += [f'  {package}_{room}["{room}"]' for room in reversed(ORDER[package])]
    for room in reversed(ORDER[package]):
        direct = {other for mine, other in found if mine == room}
        shown = {other for other in direct if not any(other in below[between] for between in direct - {other})}
        lines += [f"  {package}_{room} --> {package}_{other}" for other in ORDER[package] if other in shown]
    return "\n".join([*lines, "```"])


def described() -> str:
    """The block of CONTRIBUTING.md."""
    parts = []
    for package in ORDER:
        rows = [f"| `{package}/{room}/` | {sentence(package, room)} |" for room in ORDER[package]]
        loose = {room for room in LOOSE[package].values() if (package, room) in SENTENCES}
        rows = [
            row.replace(f"/{room}/`", f"/` {room}") if f"/{room}/`" in row and room in loose else row
            for row, room in zip(rows, ORDER[package], strict=True)
        ]
        parts.append("\n".join([f"| room of `{package}` | what lives there |", "| --- | --- |", *rows]))
        parts.append(picture(package))
    return "\n\n".join(parts)


def main() -> None:
    """Writes the block again."""
    text = PAGE.read_text("utf-8")
    head, _, rest = text.partition(START)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{START}\n\n{described()}\n\n{END}{tail}", "utf-8")


if __name__ == "__main__":
    main()
