"""The log: a line of JSON for each thing that happens, by which a run can be followed, and nothing of a visitor."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from app.api.commands import Commands
from app.fairness.fair_queue import QueueFull
from app.runs.manager import RunManager
from app.support import event_log
from app.support.metrics import FAULTS, FULL, Counters
from nayer.errors import ConfigError
from nayer.networks.cards import teacher_cards
from tests.support.gates import Gate
from tests.support.serving import wait_until


class Log:
    """What was written, as objects."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    root, events = logging.getLogger(), logging.getLogger("app.events")
    before = root.handlers, root.level, events.level
    written = Log()
    event_log.begin(written.stream)
    yield written
    logging.captureWarnings(False)
    root.handlers, root.level, events.level = before
    root.setLevel(before[1])
    events.setLevel(before[2])


def test_a_run_is_followed_by_its_name_and_no_visitor_is_told_of(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.commands.address", lambda: "203.0.113.7")
    gate = Gate()
    registry = RunManager(gate.opener, capacity=1, waiting=2)
    commands = Commands(registry, teacher_cards(), local=False)
    first = commands.start(teacher="digits", settings={"prompt": "a secret of {}"})
    commands.start(teacher="digits", seed=1)
    with pytest.raises(QueueFull):
        commands.begin("nayer", {"teacher": "digits", "seed": 2}, "")
    with pytest.raises(ConfigError):
        commands.start(teacher="typed by a visitor")
    gate.open.set()
    wait_until(lambda: registry.counts()["running"] == registry.counts()["waiting"] == 0)
    registry.close()
    name = event_log.log_name(first["run"])
    mine = [line for line in log.lines if line.get("run") == name]
    assert [line["event"] for line in mine] == ["asked for", "finished"]
    assert {"at", "level", "running", "waiting", "capacity", "lost"} <= set(mine[0])
    assert [line["waiting"] for line in log.lines if line["event"] == "no room"] == [1]
    written = log.stream.getvalue()
    for private in (first["run"], first["token"], "203.0.113.7", "secret", "typed by"):
        assert private not in written
    assert registry.counters.runs() == {"asked for": 2, "finished": 2}
    assert registry.counters.refusals() == {FULL: 1}


def test_whatever_is_said_stays_one_short_line(log: Log) -> None:
    logging.getLogger("anybody").warning("a\r\nb\x1b[31m %s", "x" * 10_000)
    [line] = log.lines
    assert line["said"].startswith("a\r\nb\x1b[31m ")
    assert len(log.stream.getvalue()) < 600
    assert "\x1b" not in log.stream.getvalue()


def test_of_a_fault_the_kind_and_the_place_are_written_and_not_its_words(log: Log) -> None:
    try:
        int("typed by a visitor")
    except ValueError:
        logging.getLogger("anybody").exception("error %s", "12ab")
    [line] = log.lines
    assert (line["level"], line["said"], line["error"]) == ("error", "error 12ab", "ValueError")
    assert line["frames"][-1].startswith("test_event_log.py:")
    assert "typed" not in log.stream.getvalue()


def test_refusals_are_counted_by_reason_and_answers_are_not() -> None:
    counters = Counters()
    for status in (200, 204, 404, 404, 413, 500, 418):
        counters.answered(status)
    assert counters.refusals() == {"unknown address": 2, "too long": 1, FAULTS: 1, "otherwise": 1}


def test_of_each_kind_so_many_lines_are_written_a_minute_and_the_rest_are_counted() -> None:
    now = [0.0]
    bounds = event_log.Bounds(lambda: now[0])

    def passes(line: int, message: str = "out of files", **more: object) -> bool:
        record = logging.makeLogRecord({"name": "asyncio", "lineno": line, "msg": message} | more)
        passed = bool(bounds.filter(record))
        left_out.append(getattr(record, "left_out", 0))
        return passed

    left_out: list[int] = []
    assert [passes(1, f"typed by a visitor: {number}") for number in range(1000)].count(True) == event_log.SAID
    assert passes(2)
    happened = {"facts": {"event": "asked for"}}
    assert [passes(3, **happened) for _ in range(2000)].count(True) == event_log.EVENTS
    now[0] = 60.0
    assert passes(1)
    assert (max(left_out), left_out[-1]) == (1000 - event_log.SAID, 1000 - event_log.SAID)
    assert passes(1)
    assert left_out[-1] == 0


def test_one_place_that_fails_is_one_kind_whatever_it_was_given(log: Log) -> None:
    def fails(number: int) -> None:
        if number % 2:
            int(f"typed {number}")
        raise LookupError(f"typed {number}")

    def answers(number: int) -> None:
        try:
            fails(number)
        except (ValueError, LookupError):
            logging.getLogger("anybody").exception("a request failed, error %s", number)

    for number in range(100):
        answers(number)
    kinds = sorted(line["error"] for line in log.lines)
    assert kinds == ["LookupError"] * event_log.SAID + ["ValueError"] * event_log.SAID


@pytest.mark.parametrize("character", ["a", "\x1b", '"', "\ud800", "😀"], ids=ascii)
def test_no_line_is_longer_than_its_bound(log: Log, character: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()  # without pytest's own handlers: pytest-xdist cannot send a lone surrogate
    ours = [handler for handler in root.handlers if "_pytest" not in type(handler).__module__]
    monkeypatch.setattr(root, "handlers", ours)
    long = character * 100_000
    logging.getLogger(long).warning(long)
    event_log.event("asked for", "run", typed=long)
    event_log.event(long)
    written = log.stream.getvalue().splitlines()
    assert len(written) == 3
    assert max(map(len, written)) <= event_log.LONGEST_LINE


def test_a_librarys_warning_about_a_picture_is_one_line_and_few_of_them_are_written(log: Log) -> None:
    with warnings.catch_warnings():  # it also gives back what shows a warning
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        event_log.begin(log.stream)
        for number in range(200):
            warnings.warn(f"Corrupt EXIF data.\nExpecting to read {number} bytes", UserWarning, stacklevel=1)
    assert len(log.lines) == event_log.SAID
    assert all(line["by"] == "py.warnings" for line in log.lines)
