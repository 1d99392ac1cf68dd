"""The log: one JSON object a line for each event, with a run's name and no data of any visitor.

It writes no addresses, no tokens and no typed text. A run's id gives access to the run, so the log uses a name made
from the id. A person with the id can find the run in the log. A person with the log cannot find the id.
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
from datetime import UTC, datetime
from typing import TextIO

EVENTS, SAID = 1000, 10  # lines a minute of each event, and of each sentence; a class presses Play at once
LONGEST_LINE = 4000  # bytes
_MINUTE = 60.0  # seconds
_LONGEST = 300  # characters of a sentence
_FRAMES = 8  # of a traceback, the innermost
_log = logging.getLogger("app.events")


def log_name(run_id: str) -> str:
    """The name of a run in the log."""
    return hashlib.sha256(run_id.encode("utf-8", "replace")).hexdigest()[:12]


def event(name: str, run: str = "", **facts: str | float) -> None:
    """Writes an event to the log; `run`: an id. No fact may contain text that a visitor typed."""
    named = {"run": log_name(run)} if run else {}
    _log.info(name, extra={"facts": {"event": name, **named, **facts}})


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; of an exception only its kind and place, for its text may be a visitor's."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
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
    """Limits the lines a minute of each kind. The next line of that kind has the number of dropped lines.

    A kind is an event's name, or the place in the code that logs and the place that failed. So visitors cannot create
    new kinds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._minutes: dict[tuple[object, ...], tuple[float, int]] = {}  # kind -> start of its minute, lines in it

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
    """From now on, all log records of this process are written this way, to `stream` or the standard error.

    Python's warnings are records too: Pillow warns of many a visitor's picture, with numbers from the picture.
    """
    logging.captureWarnings(True)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(Bounds())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    _log.setLevel(logging.INFO)
