"""Viewers who ask and never read the answer."""

from __future__ import annotations

import signal
import socket
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.reliability.booting import Application
from tests.reliability.figure import Figure

READERS, SECONDS, MEGABYTES = 20, 60.0, 10.0
ASKED = 20  # requests each of them sends without reading one answer


def _watch(page: Application, run: str) -> tuple[float, float]:
    """Another viewer's minute: the median of the memory in MB, and its slowest answer in seconds.

    The median, for a run by itself gains and loses 40 MB from one second to the next as freed memory is given back.
    """
    memory, slowest, until = [], 0.0, time.monotonic() + SECONDS
    while time.monotonic() < until:
        asked = time.monotonic()
        page.status(run)
        slowest = max(slowest, time.monotonic() - asked)
        memory.append(page.memory())
        time.sleep(0.5)
    return statistics.median(memory), slowest


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder))
        run = page.start("")["run"]
        _watch(page, run)  # a run grows in its first minute
        before, _ = _watch(page, run)
        address = urlsplit(page.url)
        request = f"GET /live/{run}/status?since=0 HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
        stopped = []
        for _ in range(READERS):
            reader = socket.socket()
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect((address.hostname, address.port))
            reader.setblocking(False)
            reader.send(request * ASKED)
            stopped.append(reader)
        beside, slowest = _watch(page, run)
        for reader in stopped:
            reader.close()
        page.end(signal.SIGKILL)
    return Figure(
        13,
        f"{READERS} viewers who ask {ASKED} times and read nothing, for {SECONDS:.0f} s beside a run",
        f"RSS ≤ +{MEGABYTES:g} MB",
        f"RSS {beside - before:+.1f} MB; another viewer's slowest answer {slowest:.2f} s",
        beside - before <= MEGABYTES,
    )
