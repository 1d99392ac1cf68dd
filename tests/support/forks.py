"""Runs code in forks of a process that has imported the page's server: its import takes three seconds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.support.repository import ROOT

FORKING = """
import os, sys
from app import server
for line in sys.stdin:
    child = os.fork()
    if not child:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
code, environment, *files = eval(line)
os.environ.update(environment)
for descriptor, file in enumerate(files, 1):
    os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
exec(code)  # at the top, so that every way to end is Python's own
"""


@dataclass(frozen=True)
class Done:
    """How a fork ended; the status is −n after the signal n."""

    status: int
    out: str
    err: str


class Forks(AbstractContextManager["Forks"]):
    """The process that forks. `server` is `app.server` in the code that it runs."""

    def __init__(self, folder: Path) -> None:
        """`folder`: for what a fork prints."""
        self._out, self._err = folder / "out", folder / "err"
        self._process = subprocess.Popen(
            [sys.executable, "-c", FORKING], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, code: str, environment: Mapping[str, str] | None = None) -> Done:
        """Waits until the fork has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = (code, dict(environment or {}), str(self._out), str(self._err))
        self._process.stdin.write(f"{order!r}\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        return Done(status, self._out.read_text("utf-8"), self._err.read_text("utf-8"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
