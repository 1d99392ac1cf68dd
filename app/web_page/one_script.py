"""The page's scripts as one script, and their style sheets as one, for a file that loads nothing.

A browser loads no modules from a disk. So each module becomes a function that returns its exports, in the order of
the imports. Only the forms of import and export that our scripts use are understood.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parents[1] / "static"
_IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function |class |const )", re.MULTILINE)
_NAMES = re.compile(r"^export (?:async function|function|class|const) (\[[^\]]*\]|\w+)", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b|\bimport\(", re.MULTILINE)
_COMMENT = re.compile(r"^ *(?:/\*\*(?:(?!\*/).)*\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)


@cache
def script(entry: str, function: str) -> str:
    """One script that calls `function` of the module `entry`, an address such as `run_page/run_page.js`."""
    order = modules(entry)
    parts = [f"modules[{name!r}] = (() => {{\n{_body(name)}}})();\n" for name in order]
    return (
        f'"use strict";\n(() => {{\nconst modules = {{}};\n{"".join(parts)}modules[{entry!r}].{function}();\n}})();\n'
    )


@cache
def styles(entry: str) -> str:
    """The style sheets beside the modules, in their order, after the one that all share."""
    names = ["core/base.css", *(name.removesuffix(".js") + ".css" for name in modules(entry))]
    return "\n".join((STATIC / name).read_text("utf-8") for name in names if (STATIC / name).is_file())


@cache
def modules(entry: str) -> tuple[str, ...]:
    """The modules that `entry` needs, each after those that it imports; `entry` is the last."""
    found: list[str] = []

    def visit(name: str) -> None:
        if name in found:
            return
        for _, path in _IMPORT.findall(_source(name)):
            visit(_address(name, path))
        found.append(name)

    visit(entry)
    return tuple(found)


def _body(name: str) -> str:
    source = _source(name)
    exported = [one for names in _NAMES.findall(source) for one in re.findall(r"\w+", names)]
    inner = _IMPORT.sub(lambda found: _bound(name, found), source)
    inner = _EXPORT.sub("", inner)
    inner = _COMMENT.sub("", inner)
    if left := _LEFT.search(inner):
        raise ValueError(f"{name} has an import or export of another form: {left[0]!r}")
    return f"{inner}return {{ {', '.join(exported)} }};\n"


def _bound(name: str, found: re.Match[str]) -> str:
    names = " ".join(found[1].split()).replace(" as ", ": ")
    return f"const {{ {names} }} = modules[{_address(name, found[2])!r}];\n"


def _source(name: str) -> str:
    return (STATIC / name).read_text("utf-8")


def _address(name: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
