"""The log: one JSON object a line for each event, with a run's name in it and nothing of any visitor.

Neither addresses nor tokens nor anything typed is written. A run's id opens it to whoever has it, so its place is taken
by a name that is made of it: whoever has the id finds the run in the log, and not the other way round.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TextIO

_LONGEST = 300  # characters of a sentence
_FRAMES = 8  # of a traceback, the innermost
_log = logging.getLogger("app.events")


def log_name(run_id: str) -> str:
    """What the log calls a run."""
    return hashlib.sha256(run_id.encode("utf-8", "replace")).hexdigest()[:12]


def event(name: str, run: str = "", **facts: str | float) -> None:
    """Writes that something happened; `run`: an id. No fact may be something that a visitor typed."""
    named = {"run": log_name(run)} if run else {}
    _log.info(name, extra={"facts": {"event": name, **named, **facts}})


class Lines(logging.Formatter):
    """A record as one line of JSON; of an exception its kind and where it was, for its text may be a visitor's."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"at": when, "level": record.levelname.lower()}
        line |= getattr(record, "facts", None) or {
            "event": "said",
            "by": record.name,
            "said": record.getMessage()[:_LONGEST],
        }
        if record.exc_info and record.exc_info[0]:
            kind, _, trace = record.exc_info
            frames = traceback.extract_tb(trace)[-_FRAMES:]
            line["error"] = kind.__name__
            line["frames"] = [f"{os.path.basename(one.filename)}:{one.lineno} {one.name}" for one in frames]
        return json.dumps(line)


class Repeats(logging.Filter):
    """Lets the same sentence of the same speaker through once a second: asyncio says thousands of times that no more
    files may be opened."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if hasattr(record, "facts"):  # what happened, each time
            return True
        now, key = self._clock(), (record.name, record.getMessage())
        self._said = {said: when for said, when in self._said.items() if now - when < 1.0}
        if key in self._said:
            return False
        self._said[key] = now
        return True


def begin(stream: TextIO | None = None) -> None:
    """From now on everything that is logged in this process is written so, to `stream` or the standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines())
    handler.addFilter(Repeats())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    _log.setLevel(logging.INFO)
