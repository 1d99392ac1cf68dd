"""A run's files, one by one or all in a zip, for everyone who knows its id."""

from __future__ import annotations

import asyncio
import hashlib
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
    ) -> None:
        """In another process, `animate` makes the animated picture of a run's events, `chart` the picture of a lab,
        and `onnx` a student as ONNX."""
        self._registry = registry
        self._recordings = recordings
        self._animate = animate
        self._chart = chart
        self._onnx = onnx
        self._making: MakeOnce[str, dict[str, bytes]] = MakeOnce(turns, FairCache(KEPT_BYTES, _bytes))

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
            making = self._making.ask(key, lambda: {ONNX: self._onnx(self._student(run_id))})
        else:
            making = self._making.ask(key, lambda: self._files(run_id))
        found = await asyncio.shield(asyncio.wrap_future(making))
        if name not in found:
            raise ConfigError(f"file={name[:40]!r} is not a file of this run; use {', '.join(found)}.")
        return found[name]

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
