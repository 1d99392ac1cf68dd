"""Names that lie in files, databases, addresses and other people's programs: a new name for one needs a migration."""

from __future__ import annotations

import json
import sqlite3
import typing
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast

from tests.behavior.entrances import PRESETS, Event, settings
from tests.behavior.fixtures import STORED
from tests.behavior.runs import halfway
from tests.behavior.stored import CHECKPOINT, HALFWAY, RECORDING, RUN, TEACHER, unpacked
from tests.support.repository import ROOT

# Between them they have every part that a checkpoint can hold: see the settings of each preset.
_CHECKPOINTS = ("nayer", "fast", "cmi", "dfq", "zskt")


def _events() -> dict[str, dict[str, str]]:
    """Every kind of event, and every kind of thing within one, with its fields and their types."""
    found: dict[str, dict[str, str]] = {}
    waiting: list[Any] = list(Event.__subclasses__())
    while waiting:
        kind = waiting.pop(0)
        if kind.__name__ in found:
            continue
        hints = typing.get_type_hints(kind)
        found[kind.__name__] = {field.name: str(field.type) for field in fields(kind)}
        for field in fields(kind):
            parts = [hints[field.name], *typing.get_args(hints[field.name])]
            waiting += [part for part in parts if isinstance(part, type) and is_dataclass(part)]
    return found


def _setting(one: Any) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in ("default", "low", "high", "unit", "group", "fixed")}
    return {"kind": one.kind.__name__, "choices": list(one.choices), **told}


def _preset(name: str) -> dict[str, Any]:
    """The settings in which it differs from the defaults."""
    config = PRESETS[name].config.model_dump()
    return {one.name: config[one.name] for one in settings() if config[one.name] != one.default}


def header(content: bytes) -> dict[str, Any]:
    """The names of a safetensors file's tensors with their types, and the names in its metadata."""
    length = int.from_bytes(content[:8], "little")
    told = json.loads(content[8 : 8 + length])
    about = {name: _inner(text) for name, text in sorted(told.pop("__metadata__", {}).items())}
    return {"tensors": {name: told[name]["dtype"] for name in sorted(told)}, "about": about}


def _inner(text: str) -> Any:
    """The names in a text that is JSON, with the types of their values; of any other text only that it is one."""
    try:
        return _named(json.loads(text))
    except ValueError:
        return "str"


def _named(value: object) -> Any:
    return {name: _named(one) for name, one in value.items()} if isinstance(value, dict) else type(value).__name__


def _keys(path: Path) -> dict[str, Any]:
    return cast(dict[str, Any], _named(json.loads(path.read_text("utf-8"))))


def _database(folder: Path) -> dict[str, Any]:
    unpacked(folder)
    (path,) = folder.glob("*.sqlite3")
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {
            table: {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({table})")}
            for table in sorted(tables)
        }
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        kinds = [row[0] for row in connection.execute("SELECT DISTINCT kind FROM file ORDER BY kind")]
        states = [row[0] for row in connection.execute("SELECT state FROM run ORDER BY number")]
        (plan,) = connection.execute("SELECT plan FROM run LIMIT 1").fetchone()
    return {
        "file": path.name,
        "version": version,
        "columns": columns,
        "kinds of files": kinds,
        "states": states,
        "plan": _inner(plan),
        "arm": _named(json.loads(plan)["arms"][0]),
    }


def _run_folder() -> dict[str, Any]:
    return {
        "config.json": _keys(STORED / RUN / "config.json"),
        "metrics.csv": (STORED / RUN / "metrics.csv").read_text("utf-8").splitlines()[0].split(","),
        "student": header((STORED / RUN / "student.safetensors").read_bytes()),
        "checkpoint": header((STORED / HALFWAY / CHECKPOINT).read_bytes()),
    }


def _teacher_folder() -> dict[str, Any]:
    return {
        "config.json": _keys(STORED / TEACHER / "config.json"),
        "model.safetensors": header((STORED / TEACHER / "model.safetensors").read_bytes()),
    }


# By where they are stored; each is given a folder for scratch.
KINDS: dict[str, Callable[[Path], Any]] = {
    "event": lambda _: _events(),
    "setting": lambda _: {one.name: _setting(one) for one in settings()},
    "preset": lambda _: {name: _preset(name) for name in PRESETS},
    "teacher": lambda _: sorted(path.parent.name for path in (ROOT / "assets" / "teachers").glob("*/config.json")),
    "checkpoint": lambda _: {name: header(halfway(preset=name)) for name in _CHECKPOINTS},
    "run folder": lambda _: _run_folder(),
    "teacher folder": lambda _: _teacher_folder(),
    "recording": lambda _: (STORED / RECORDING).read_bytes().split(b"\n", 1)[0].decode(),
    "data folder": _database,
}
