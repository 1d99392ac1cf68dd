"""The n-th write fails, for every n: a checkpoint, an export, and the history's database."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import logging
import os
import pathlib
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from app.storage import write_queue
from app.storage.run_store import Store
from nayer.config import Config
from nayer.errors import StorageError
from nayer.exports.metrics_table import Record
from nayer.exports.run_folder import STUDENT, export, load_student
from nayer.runs import checkpoints
from nayer.runs.run import open_run
from tests.app.storage.test_run_store import held_up
from tests.reliability.figure import Figure
from tests.support.scripted import SHORT, script
from tests.support.tiny import tiny_config, tiny_state, tiny_task

ERRORS: dict[str, Callable[[], BaseException]] = {
    "ENOSPC": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "EIO": lambda: OSError(errno.EIO, "Input/output error"),
    "MemoryError": MemoryError,
}
EVENTS = list(script(SHORT))


class Nth:
    """Counts calls, and lets the n-th of them fail."""

    def __init__(self, n: int, error: Callable[[], BaseException]) -> None:
        self.left = n
        self.error = error

    def passes(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise self.error()

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            self.passes()
            return call(*given, **named)

        return counted


class _File:
    """A file whose writing is counted too."""

    def __init__(self, file: Any, nth: Nth) -> None:
        self._file, self._nth = file, nth

    def write(self, content: bytes) -> int:
        self._nth.passes()
        return int(self._file.write(content))

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextlib.contextmanager
def disk(nth: Nth) -> Iterator[None]:
    """Every call that reaches the disk is counted."""
    opened = pathlib.Path.open

    def opening(path: Path, mode: str = "r", *given: Any, **named: Any) -> Any:
        if "w" not in mode:
            return opened(path, mode, *given, **named)
        nth.passes()
        return _File(opened(path, mode, *given, **named), nth)

    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.object(pathlib.Path, "open", opening))
        for name in ("fsync", "replace", "mkdir"):
            stack.enter_context(patch.object(os, name, nth.around(getattr(os, name))))
        yield


def swept(once: Callable[[Nth], bool]) -> tuple[int, int]:
    """(cases, bad ones) over every n and every error, until a run through needs fewer calls than n."""
    cases = bad = 0
    for error in ERRORS.values():
        for n in range(1, 1000):
            nth = Nth(n, error)
            good = once(nth)
            if nth.left > 0:
                break
            cases += 1
            bad += not good
    return cases, bad


def checkpoint_case(folder: Path) -> Callable[[Nth], bool]:
    task = tiny_task(tiny_config())
    state = tiny_state(task)
    path = checkpoints.save(task.config, state, folder)

    def once(nth: Nth) -> bool:
        former = path.read_bytes()
        state.round += 1
        try:
            with disk(nth):
                checkpoints.save(task.config, state, folder)
        except (StorageError, MemoryError):
            now, read = path.read_bytes(), tiny_state(task)
            checkpoints.restore(now, read)
            whole = now == former or read.round == state.round  # the last step of all may be what failed
            return whole and [one.name for one in folder.iterdir()] == [path.name]
        return path.read_bytes() != former

    return once


def export_case(folder: Path) -> Callable[[Nth], bool]:
    config = Config(teacher="digits", generator_width=4, synthesis_batch=20)
    run = open_run(config)
    spec, record = run.card.student, Record()
    export(folder, config, spec, run.student, record)

    def once(nth: Nth) -> bool:
        with torch.no_grad():
            next(run.student.parameters()).add_(1.0)
        try:
            with disk(nth):
                export(folder, config, spec, run.student, record)
        except (StorageError, MemoryError):
            load_student(folder)  # the former or the new one, but a whole one
        return not [one for one in folder.iterdir() if one.suffix == ".part"] and (folder / STUDENT).exists()

    return once


class _Connection:
    """A connection whose statements are counted."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.nth: Nth | None = None

    def __getattr__(self, name: str) -> Any:
        whole = getattr(self.connection, name)
        if name not in ("execute", "executemany"):
            return whole

        def counted(statement: str, *given: Any) -> Any:
            if self.nth is not None and statement != "ROLLBACK":
                self.nth.passes()
            return whole(statement, *given)

        return counted


def database_case(store: Store) -> Callable[[Nth], bool]:
    """A run with events, a checkpoint and its end; the disk then works again, and everything is there."""
    folder_taken = store.writer._folder
    assert folder_taken is not None
    connection = _Connection(folder_taken.connection)
    store.writer._folder = dataclasses.replace(folder_taken, connection=connection)  # type: ignore[arg-type]
    number = iter(range(1_000_000))

    def once(nth: Nth) -> bool:
        run = f"run {next(number)}"
        store.begin(run, "hash", "{}")
        store.keep(run, "checkpoint", b"former", 1)
        store.flush(10)
        kind = nth.error()
        if isinstance(kind, OSError):
            code = sqlite3.SQLITE_FULL if kind.errno == errno.ENOSPC else sqlite3.SQLITE_IOERR
            nth.error = lambda: _sqlite_error(code)
        connection.nth = nth
        store.add(run, 0, EVENTS)
        store.keep(run, "checkpoint", b"newer", 2)
        store.end(run, "finished")
        fine = store.flush(10)
        connection.nth = None
        if not fine and store.file(run, "checkpoint") not in ((b"former", 1), (b"newer", 2)):
            return False
        settle(store)
        stored = store.find(run)
        return (
            len(store.events(run)) == len(EVENTS)
            and store.file(run, "checkpoint") == (b"newer", 2)
            and stored is not None
            and stored.state == "finished"
        )

    return once


def _sqlite_error(code: int) -> sqlite3.OperationalError:
    """The error that SQLite's result of that code becomes."""
    error = sqlite3.OperationalError("the disk failed")
    error.sqlite_errorcode = code
    return error


def settle(store: Store) -> None:
    """Waits until the disk has been found to work again; a bound far above what that takes."""
    until = time.monotonic() + 20.0
    while not store.flush(1) and time.monotonic() < until:
        time.sleep(0.005)


def full_pages(folder: Path) -> tuple[int, int]:
    """SQLite itself runs out of pages, at the n-th, for every n it needs."""
    store = Store(folder)
    cases = bad = 0
    for extra in range(40):
        with held_up(store) as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + extra}")
        run = f"run {extra}"
        store.begin(run, "hash", "{}")
        store.add(run, 0, EVENTS * 20)
        full = not store.flush(10)
        with held_up(store) as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        settle(store)
        cases += full
        with held_up(store) as connection:
            (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
        bad += sound != "ok" or len(store.events(run)) != 20 * len(EVENTS)
    store.close()
    return cases, bad


def measure() -> Figure:
    logging.disable(logging.ERROR)
    write_queue.RETRY_SECONDS = 0.01
    told, good = [], True
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        for part in ("checkpoint", "export", "pages"):
            (folder / part).mkdir()
        store = stack.enter_context(contextlib.closing(Store(folder / "database")))
        tries = {
            "checkpoint": checkpoint_case(folder / "checkpoint"),
            "export": export_case(folder / "export"),
            "database": database_case(store),
        }
        for what, once in tries.items():
            cases, bad = swept(once)
            told.append(f"{what} {cases} cases, {bad} bad")
            good &= cases > 0 and not bad
        cases, bad = full_pages(folder / "pages")
        told.append(f"full pages {cases} cases, {bad} bad")
        good &= cases > 0 and not bad
    return Figure(
        9,
        "the n-th write fails, for every n, with ENOSPC, EIO and MemoryError",
        "checkpoint, export and database: the old file is intact, then the new file is there",
        "; ".join(told),
        good,
    )
