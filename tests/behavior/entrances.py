"""All that this package imports of the program, and how it runs the command line: a move of modules changes this."""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from app.content.help import event_types
from nayer.config import Config, settings
from nayer.earlier_versions import RETIRED
from nayer.events import Event, RoundFinished
from nayer.exports.recording import load as load_recording
from nayer.library import named_run, own_run
from nayer.presets import PRESETS
from nayer.runs.session import Session
from nayer.runs.side_by_side import Lab
from tests.reliability.booting import Application

__all__ = [
    "PRESETS",
    "RETIRED",
    "Application",
    "Config",
    "Event",
    "Lab",
    "RoundFinished",
    "Said",
    "Session",
    "command",
    "event_types",
    "inside",
    "load_recording",
    "named_run",
    "own_run",
    "settings",
]


@dataclass(frozen=True)
class Said:
    """What a command leaves: its exit code and its two outputs."""

    code: int
    out: str
    err: str


def command(*words: str, folder: Path) -> Said:
    """`python -m nayer WORDS` with `folder` as the current one, in this process: torch is loaded here already."""
    out, err = io.StringIO(), io.StringIO()
    with (
        inside(folder),
        patch.object(sys, "argv", ["nayer", *words]),
        patch.dict(os.environ),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            runpy.run_module("nayer", run_name="__main__")
            code = 0
        except SystemExit as left:
            code = int(left.code or 0)
    return Said(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """`folder` is the current one inside the block, so that no answer names a path of this machine."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
