"""Numbers of runs in a file of JSON lines: what is there is not run again, so a command that was stopped goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def rows(path: Path) -> list[Row]:
    """The rows so far, in the order in which they were measured."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


def complete(path: Path, wanted: Iterable[Row], measure: Callable[..., Row]) -> list[Row]:
    """Measures each of `wanted` that the file lacks, and adds it: `wanted` and `measure(**wanted)` in one row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    have = rows(path)
    for one in wanted:
        if not any(one.items() <= row.items() for row in have):
            have.append({**one, **measure(**one)})
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(have[-1]) + "\n")
            sys.stderr.write(f"{path.stem}: {', '.join(map(str, one.values()))}\n")
    return have
