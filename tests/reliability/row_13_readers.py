"""Viewers who ask and never read the answer."""

from __future__ import annotations

import signal
import socket
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.reliability.booting import Application
from tests.reliability.figure import Figure

READERS, SECONDS, MEGABYTES = 20, 60.0, 10.0
ASKED = 20  # requests each of them sends without reading one answer


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder))
        run = page.start("")["run"]
        until, before = time.monotonic() + 120.0, 0.0
        while time.monotonic() < until:  # a run by itself gains and loses 20 MB in its second minute
            page.status(run)
            time.sleep(0.5)
            before = max(before, page.memory())
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
        most, slowest, until = 0.0, 0.0, time.monotonic() + SECONDS
        while time.monotonic() < until:
            asked = time.monotonic()
            page.status(run)
            slowest = max(slowest, time.monotonic() - asked)
            most = max(most, page.memory())
            time.sleep(1.0)
        for reader in stopped:
            reader.close()
        page.end(signal.SIGKILL)
    return Figure(
        13,
        f"{READERS} viewers who ask {ASKED} times and read nothing, for {SECONDS:.0f} s beside a run",
        f"RSS ≤ +{MEGABYTES:g} MB",
        f"RSS {most - before:+.1f} MB; another viewer's slowest answer {slowest:.2f} s",
        most - before <= MEGABYTES,
    )
