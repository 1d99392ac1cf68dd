"""The whole application as a process of its own, on a data folder: booted, asked, killed, booted again."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.support.repository import ROOT

QUICK = {"generator_steps": 2, "generator_width": 4, "synthesis_batch": 20, "student_steps": 2, "warmup_rounds": 1}


class Application:
    """`python app.py` on a free port; it is up once this returns."""

    def __init__(self, folder: Path, *, root: Path = ROOT, flags: Sequence[str] = (), **settings: str) -> None:
        """`root`: the checkout whose page it is; `flags`: further words of its command line; `settings`: further
        variables of its environment."""
        self.began = time.monotonic()
        environment = {**os.environ, "NAYER_DATA": str(folder), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "app.py", "--port", "0", *flags],
            cwd=root,
            env=environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []  # lines, read as they come: a pipe that is full would stop the server
        self.url = ""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        while not self.url:
            assert self.process.poll() is None, f"the server did not start: {self.said[-3:]}"
            time.sleep(0.02)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.match(r"Open (http://\S+) in a browser", line):
                self.url = found[1]

    def start(
        self, token: str, rounds: int = 100_000, settings: Mapping[str, object] = QUICK, *, address: str = ""
    ) -> dict[str, str]:
        """`address`: the visitor's, as a proxy on this machine tells it."""
        told: dict[str, str] = self.post(
            "gradio_api/run/start",
            {"data": ["digits", "nayer", 0, "lte", rounds, dict(settings), token]},
            {"X-Forwarded-For": address} if address else {},
        )["data"][0]
        return told

    def command(self, name: str, *given: Any) -> dict[str, Any]:
        return self.post(f"command/{name}", list(given))

    def status(self, run: str) -> dict[str, Any]:
        return self.get(f"live/{run}/status?since=0")

    def content(self, path: str) -> bytes:
        with urlopen(f"{self.url}/{path}", timeout=60) as answer:
            content: bytes = answer.read()
            return content

    def get(self, path: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.content(path))
        return told

    def post(self, path: str, body: object, headers: Mapping[str, str] = {}) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", **headers}
        request = Request(f"{self.url}/{path}", json.dumps(body).encode(), headers)
        try:
            with urlopen(request, timeout=60) as answer:
                told: dict[str, Any] = json.load(answer)
                return told
        except HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read()[:200]!r}") from None

    def memory(self) -> float:
        """Resident, in MB, with the processes that it has begun."""
        return _resident(self.process.pid) + sum(map(_resident, _begun_by(self.process.pid)))

    def settled(self) -> float:
        """The same, once what is loaded behind the first answer is there: it has stood still for three seconds.

        Beside runs it may never stand still, and a run that nobody looks at ends, so it has 15 seconds.
        """
        latest, since = self.memory(), time.monotonic()
        until = since + 15.0
        while time.monotonic() < min(since + 3.0, until):
            time.sleep(0.1)
            if abs((now := self.memory()) - latest) > 1.0:
                latest, since = now, time.monotonic()
        return self.memory()

    def end(self, asked: signal.Signals) -> tuple[int, float]:
        """(its exit status, the seconds it took)."""
        began = time.monotonic()
        self.process.send_signal(asked)
        self.process.wait(60)
        took = time.monotonic() - began
        self._listener.join(60)  # it ends with the pipe, which is then closed by nobody else
        if self.process.stdout is not None:
            self.process.stdout.close()
        return self.process.returncode, took


def _resident(number: int) -> float:
    """Of a process; 0 of one that has ended."""
    try:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{number}/status").read_text("utf-8"))
    except OSError:
        return 0.0
    return int(found[1]) / 1000 if found else 0.0


def _begun_by(number: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text("utf-8", "replace").rpartition(")")[2].split()[1]) == number:
                found.append(int(status.parent.name))
    return found
