"""A run's files, one by one or all in a zip, for everyone who knows its id."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Callable
from typing import Any

from app.fairness.fair_cache import FairCache, MakeOnce
from app.fairness.fair_executor import FairExecutor
from app.run_state.lab_figure import lab_sheet
from app.runs.lab_export import lab_files
from app.runs.manager import RunManager
from app.runs.onnx_export import onnx_of
from app.runs.recordings import Recordings, check_ended
from app.web_page.page import web_page
from nayer.common.extras import ONNX, onnx_is_missing
from nayer.errors import ConfigError, NayerError
from nayer.events import Event

ALL = "nayer-run.zip"
PAGE = "run.html"
KEPT_BYTES = 32 << 20  # for all runs together; one run takes 5 to 9 MB
LARGE_BYTES = 16 << 20  # weights of a student whose files no cache keeps: the page makes and sends one at a time
MOST_CONVERTED = (
    64 << 20
)  # weights of a student that a shared page converts; another format takes several times as much


class Exports:
    """All files of a run are made together, on request and in a turn. They are kept until the run continues."""

    def __init__(
        self,
        registry: RunManager,
        recordings: Recordings,
        turns: FairExecutor,
        animate: Callable[[list[Event]], bytes],
        chart: Callable[[dict[str, Any]], bytes] = lab_sheet,
        onnx: Callable[[bytes], bytes] = onnx_of,
        *,
        converting: FairExecutor | None = None,
        most_converted: float = math.inf,
    ) -> None:
        """In other processes, `animate` makes the animated picture of a run's events, `chart` the picture of a lab,
        and `onnx` a student as ONNX. `converting`: the turns of the latter, which takes minutes for a wide student;
        `most_converted`: bytes of its weights."""
        self._registry = registry
        self._recordings = recordings
        self._animate = animate
        self._chart = chart
        self._onnx = onnx
        self._most_converted = most_converted
        kept: FairCache[str, dict[str, bytes]] = FairCache(KEPT_BYTES, _bytes)
        self._making = MakeOnce(turns, kept)
        self._converting = MakeOnce(converting or turns, kept)

    def version(self, run_id: str) -> str:
        """A value that changes when one of the files changes. Raises NoSuchRun, and ConfigError for an active run."""
        run = self._registry.find(run_id)
        check_ended(run)
        view = run.refresh()
        return hashlib.sha256(f"{run_id} {run.state} {view.seq} {view.rounds_done}".encode()).hexdigest()[:32]

    def kept(self, run_id: str, name: str, version: str) -> bytes | None:
        """One of the files if it is ready, else None."""
        return (self._making.kept(self._key(run_id, name, version)) or {}).get(name)

    def _key(self, run_id: str, name: str, version: str) -> str:
        return f"{version} {ONNX}" if name == ONNX and not self._registry.find(run_id).many else version

    async def of(self, run_id: str, name: str, version: str) -> bytes:
        """One of the files, or all. NoSuchRun for an unknown run, ConfigError for an unknown file or a run that goes
        on, Busy."""
        key = self._key(run_id, name, version)
        if key != version:
            if sentence := onnx_is_missing():
                raise ConfigError(sentence)
            making = self._converting.ask(key, lambda: {ONNX: self._converted(run_id)})
        else:
            making = self._making.ask(key, lambda: self._files(run_id))
        found = await asyncio.shield(asyncio.wrap_future(making))
        if name not in found:
            raise ConfigError(f"file={name[:40]!r} is not a file of this run; use {', '.join(found)}.")
        return found[name]

    def is_large(self, run_id: str) -> bool:
        """Whether the files of a run are too large for the cache, because of its student."""
        started = self._registry.find(run_id).refresh().started
        return started is not None and 4 * started.parameters.get("student", 0) > LARGE_BYTES

    def _converted(self, run_id: str) -> bytes:
        student = self._student(run_id)
        if len(student) > self._most_converted:
            raise ConfigError(
                f"The student has {len(student) >> 20} MB, and this page converts at most "
                f"{MOST_CONVERTED >> 20} MB; convert it on your own machine with `python -m nayer export`."
            )
        return self._onnx(student)

    def _files(self, run_id: str) -> dict[str, bytes]:
        from nayer.exports.run_archive import RECORDING, files, zipped

        run = self._registry.find(run_id)
        if run.many:
            found = lab_files(run, self._chart)
            return found | {ALL: zipped(found)}
        events = self._recordings.events(run_id)
        found = files(events, self._student(run_id), self._animate)
        found[PAGE] = web_page(events, found[RECORDING], self._recordings.of(run_id))
        return found | {ALL: zipped(found)}

    def _student(self, run_id: str) -> bytes:
        """From the history, or from the run itself while it is in memory; nothing for a recording."""
        store = self._registry.history.store
        kept = store.file(run_id, "student-0") if store is not None else None
        if kept is not None:
            return kept[0]
        run = self._registry.find(run_id)
        try:
            return run.ask(lambda source: source.student(0))
        except NayerError:
            return b""


def _bytes(files: dict[str, bytes]) -> int:
    return sum(map(len, files.values()))
