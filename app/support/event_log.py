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
import threading
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TextIO

EVENTS, SAID = 1000, 10  # lines a minute of each event, and of each sentence; a class presses Play at once
LONGEST_LINE = 4000  # bytes
_MINUTE = 60.0  # seconds
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
        """The record as one line of JSON."""
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
        if left_out := getattr(record, "left_out", 0):
            line["left_out"] = left_out
        whole = json.dumps(line)
        if len(whole) <= LONGEST_LINE:
            return whole
        return json.dumps(
            {"at": when, "level": line["level"], "event": "said", "said": f"a line of {len(whole)} bytes"}
        )


class Bounds(logging.Filter):
    """Lets so many lines a minute of each kind through, and puts how many it left out on the next one of that kind.

    A kind is an event's name, or the place in the code that speaks and the place that failed: whoever causes lines
    cannot make kinds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._minutes: dict[tuple[object, ...], tuple[float, int]] = {}  # kind -> when its minute began, lines in it

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written: of one kind at most so many in a minute."""
        facts = getattr(record, "facts", None)
        kind, most = ((facts["event"],), EVENTS) if facts else (_place(record), SAID)
        with self._lock:
            began, lines = self._minutes.get(kind, (self._clock(), 0))
            if self._clock() - began >= _MINUTE:
                record.left_out = max(0, lines - most)
                began, lines = self._clock(), 0
            self._minutes[kind] = (began, lines + 1)
        return lines < most


def _place(record: logging.LogRecord) -> tuple[object, ...]:
    trace = record.exc_info[2] if record.exc_info else None
    failed = traceback.extract_tb(trace)[-1:]
    return record.pathname, record.lineno, *((one.filename, one.lineno) for one in failed)


def begin(stream: TextIO | None = None) -> None:
    """From now on everything that is logged in this process is written so, to `stream` or the standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines())
    handler.addFilter(Bounds())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    _log.setLevel(logging.INFO)
