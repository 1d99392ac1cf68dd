"""Bodies of 200 MB, four at once, told in advance and not, at every kind of door that reads one."""

from __future__ import annotations

import signal
import socket
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from app.middleware.json_body import SMALL_BODY, TEACHER_BODY, TEACHERS
from tests.reliability.booting import Application
from tests.reliability.figure import Figure

SIZE, TOGETHER, SECONDS, MEGABYTES = 200 << 20, 4, 1.0, 50.0
CHUNK = b"a" * 65_536
FORM = "multipart/form-data; boundary=b"
DOORS = [
    (TEACHERS, FORM, TEACHER_BODY, b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n'),  # a field
    (
        TEACHERS,
        FORM,
        TEACHER_BODY,
        b'--b\r\nContent-Disposition: form-data; name="weights"; filename="x"\r\n\r\n',
    ),
    ("/gradio_api/queue/join", "application/json", SMALL_BODY, b'"'),
    ("/command/stop", "application/json", SMALL_BODY, b'"'),
    ("/explore", "application/json", SMALL_BODY, b'"'),
]


def sent(url: str, door: tuple[str, str, int, bytes], *, told: bool) -> tuple[int, float]:
    """(status, seconds from the moment that more than is allowed had been sent, or announced)."""
    path, kind, most, first = door
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        how = f"Content-Length: {SIZE}" if told else "Transfer-Encoding: chunked"
        head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {kind}\r\n{how}\r\n\r\n"
        connection.sendall(head.encode())
        over, gone = time.monotonic() if told else float("inf"), 0
        try:
            while gone < SIZE:
                piece = first if not gone else CHUNK
                connection.sendall(piece if told else f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                gone += len(piece)
                if over > time.monotonic() and gone > most:
                    over = time.monotonic()
                connection.setblocking(False)
                try:
                    answer = connection.recv(200)
                    break
                except BlockingIOError:
                    connection.settimeout(20)
        except OSError:  # the server closed its end, having answered
            answer = b""
        if not answer:
            try:
                connection.settimeout(20)
                answer = connection.recv(200)
            except OSError:
                return 0, time.monotonic() - over
        return int(answer.split()[1]), max(0.0, time.monotonic() - over)


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder))
        for told in (True, False):  # what is loaded at first use counts for nothing
            sent(page.url, DOORS[0], told=told)
        before, most = page.settled(), 0.0
        outcomes: list[tuple[int, float]] = []

        def send(door: tuple[str, str, int, bytes], told: bool) -> None:
            outcomes.append(sent(page.url, door, told=told))

        for door in DOORS:
            for told in (True, False):
                together = [threading.Thread(target=send, args=(door, told)) for _ in range(TOGETHER)]
                for one in together:
                    one.start()
                while any(one.is_alive() for one in together):
                    most = max(most, page.memory())
                    time.sleep(0.02)
        alive = page.process.poll() is None
        page.end(signal.SIGKILL)
    refused = sum(status in (400, 413) for status, _ in outcomes)
    slowest = max(seconds for _, seconds in outcomes)
    return Figure(
        16,
        f"bodies of {SIZE >> 20} MB, {TOGETHER} at once, at {len(DOORS)} doors, their length told or not",
        f"413 each, or 400 for a form's field, < {SECONDS:g} s after the limit, RSS ≤ +{MEGABYTES:g} MB",
        f"{refused} of {len(outcomes)} are, slowest {slowest:.2f} s, RSS {most - before:+.0f} MB",
        refused == len(outcomes) == 2 * TOGETHER * len(DOORS)
        and slowest < SECONDS
        and most - before <= MEGABYTES
        and alive,
    )
