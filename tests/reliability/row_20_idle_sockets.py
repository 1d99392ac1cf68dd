"""Sockets that do nothing, or little, at each door, many of them from one address."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from app.middleware.json_body import TEACHERS
from tests.reliability.booting import Application
from tests.reliability.bystander import ENDLESS, OTHER, UNHARMED, Bystander
from tests.reliability.figure import Figure
from tests.reliability.flooding import FLOODER
from tests.support.uploaded import config, weights

SECONDS, BRING = 10.0, 10.0
HOST = b"Host: 127.0.0.1\r\n"
FORM = b'--b\r\nContent-Disposition: form-data; name="weights"; filename="w"\r\n\r\n'
JSON = b"POST /%s HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"
FILES = b"POST " + TEACHERS.encode() + b" HTTP/1.1\r\n" + HOST
FILES += b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 20000000\r\n\r\n" + FORM
# What stalls -> how many sockets, what each sends at first, and what it sends every second.
STALLS = {
    "a form's beginning": (20, FILES, b""),
    "a form a byte a second": (20, FILES, b"x"),
    "nothing": (1000, b"", b""),
    "a header a byte a second": (300, b"GET / HTTP/1.1\r\n" + HOST + b"X-Slow: ", b"x"),
    "half a command": (200, JSON % b"gradio_api/run/start", b""),
    "half a form of names": (200, JSON % b"explore", b" "),
    "answers that are not read": (100, (b"GET /live/recording/status?since=0 HTTP/1.1\r\n" + HOST + b"\r\n") * 50, b""),
}


@contextmanager
def stalled(url: str, sockets: int, first: bytes, then: bytes) -> Iterator[None]:
    """So many of one address; whoever is sent away comes again."""
    address, over = urlsplit(url), threading.Event()

    def connected() -> socket.socket:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.bind((FLOODER, 0))
        one.settimeout(0.2)
        with contextlib.suppress(OSError):
            one.connect((address.hostname, address.port))
            one.send(first)
        one.setblocking(False)
        return one

    def hold() -> None:
        held = [connected() for _ in range(sockets)]
        while not over.wait(1.0):
            for place, one in enumerate(held):
                try:
                    one.send(then)
                    if not one.recv(1, socket.MSG_PEEK):
                        raise ConnectionResetError
                except BlockingIOError:
                    continue
                except OSError:
                    one.close()
                    held[place] = connected()
                if over.is_set():
                    break
        for one in held:
            one.close()

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    time.sleep(1.0)
    yield
    over.set()
    thread.join(60)


def uploaded(url: str, patience: float = 60.0) -> float:
    """Seconds until another visitor's files are answered; without end where they are not within `patience`."""
    address = urlsplit(url)
    files = {"config": config(), "weights": weights()}
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'.encode() + content
        for name, content in files.items()
    ]
    began = time.monotonic()
    connection = http.client.HTTPConnection(
        str(address.hostname), address.port, timeout=patience, source_address=(OTHER, 0)
    )
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        connection.request("POST", TEACHERS, b"\r\n".join([*parts, b"--b--\r\n"]), kind)
        if b'"teacher"' in connection.getresponse().read():
            return time.monotonic() - began
    return float("inf")


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder))
        bystander = Bystander(page, ENDLESS)
        uploaded(page.url)  # what is loaded at first use counts for nothing
        bystander.measured_from_here()
        bring: dict[str, float] = {}
        for name, (sockets, first, then) in STALLS.items():
            with stalled(page.url, sockets, first, then), bystander.beside(name):
                bring[name] = uploaded(page.url)
                time.sleep(SECONDS)
        noticed = bystander.after()
        page.end(signal.SIGKILL)
    longest = max(bring, key=lambda name: bring[name])
    return Figure(
        20,
        f"20 to 1,000 sockets of one address that stall, {SECONDS:.0f} s each",
        f"another visitor's files are taken in ≤ {BRING:g} s; {UNHARMED}",
        f"files {bring[longest]:.2f} s ({longest}); {noticed}",
        max(bring.values()) <= BRING and noticed.held,
    )
