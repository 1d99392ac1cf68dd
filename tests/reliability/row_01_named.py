"""The named bad inputs: those of files at the loaders, those of texts, numbers and requests at one live server."""

from __future__ import annotations

import http.server
import os
import re
import signal
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.reliability.booting import Application
from tests.reliability.figure import Figure
from tests.reliability.named import cases
from tests.reliability.row_10_faults import Outcomes
from tests.support.repository import ROOT

LEAST, SECONDS, PAUSE, MEGABYTES, LOGGED = 200, 1.0, 2.0, 20.0, 2000
REWRITTEN = "ignore::pytest.PytestAssertRewriteWarning"  # what we have imported ourselves
LOADERS = ["tests/nayer/common/test_hostile_files.py"]


class Canary(http.server.BaseHTTPRequestHandler):
    """A neighbor whom nobody may make the server ask."""

    asked = 0

    def do_GET(self) -> None:
        Canary.asked += 1
        self.send_error(404)


def handles(page: Application) -> tuple[int, int]:
    """Threads and open files."""
    process = Path(f"/proc/{page.process.pid}")
    return len(os.listdir(process / "task")), len(os.listdir(process / "fd"))


def measure() -> Figure:
    outcomes = Outcomes()
    pytest.main(
        ["-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", REWRITTEN, *LOADERS], plugins=[outcomes]
    )
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Canary)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder), SPACE_ID="me/nayer", HOST="127.0.0.1", NAYER_DATA_NETWORK="0")
        wrong, tried, slowest = _tried(page, f"http://127.0.0.1:{listener.server_address[1]}/x")
        page.end(signal.SIGKILL)
        database = sqlite3.connect(next(Path(folder).rglob("*.sqlite*")))
        if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            wrong.append("the history is damaged")
        database.close()
    listener.shutdown()
    if Canary.asked:
        wrong.append(f"a neighbor was asked {Canary.asked} times")
    wrong += outcomes.failed
    count = len(outcomes.passed) + tried
    return Figure(
        1,
        "named bad inputs, at the loaders and at one live server while a run is active",
        f"{LEAST} and more: refused in < {SECONDS:g} s in a sentence; the server, the run beside them, files, threads, "
        f"memory ≤ +{MEGABYTES:g} MB and the log as before",
        f"{count} tried ({tried} over HTTP, slowest {slowest:.2f} s), {len(wrong)} otherwise"
        + "".join(f"; {one}" for one in wrong[:3]),
        count >= LEAST and not wrong,
    )


def _tried(page: Application, canary: str) -> tuple[list[str], int, float]:
    client = httpx.Client(base_url=page.url, timeout=30.0, headers={"Content-Type": "application/json"})
    beside = page.start("", rounds=16_000)  # what a shared page bears
    wrong: list[str] = []
    for warmth in range(2):  # what is loaded at first use counts for nothing
        for case in list(cases(canary))[:: 1 if warmth else 12]:
            client.request(case.method, case.path, content=case.body, headers=case.headers)
    while page.status(beside["run"])["seq"] < 20:
        time.sleep(0.1)
    before, memory, slowest = handles(page), page.memory(), 0.0
    tried, seq, moved = 0, page.status(beside["run"])["seq"], time.monotonic()
    for case in cases(canary):
        tried += 1
        said = len(page.said)
        began = time.monotonic()
        answer = client.request(case.method, case.path, content=case.body, headers=case.headers)
        took = time.monotonic() - began
        slowest = max(slowest, took)
        now = page.status(beside["run"])["seq"]
        if now != seq:
            seq, moved = now, time.monotonic()
        logged = "".join(page.said[said:])
        for what, is_so in (
            (f"status {answer.status_code}", answer.status_code not in case.borne),
            ("tells of the inside", bool(re.search(r'Traceback|\.py"', answer.text)) or str(ROOT) in answer.text),
            (f"a refusal of {len(answer.text)} characters", answer.status_code != 200 and len(answer.text) > 1000),
            (f"took {took:.1f} s", took > SECONDS),
            (f"{len(logged)} bytes of log", len(logged) > LOGGED),
            ("control characters in the log", bool(re.search(r"[\x00-\x08\x0b-\x1f]", logged))),
            (f"the run beside it paused for {time.monotonic() - moved:.1f} s", time.monotonic() - moved > PAUSE),
        ):
            if is_so:
                wrong.append(f"{case.name}: {what}")
    client.close()
    page.command("stop", beside["run"], beside["token"])
    time.sleep(5.0)
    if page.process.poll() is not None or httpx.get(f"{page.url}/health").status_code != 200:
        wrong.append("the server is gone")
    after, grown = handles(page), page.memory() - memory
    if any(now > then + 2 for now, then in zip(after, before, strict=True)):
        wrong.append(f"threads and files {before} became {after}")
    if grown > MEGABYTES:
        wrong.append(f"{grown:.0f} MB more")
    return wrong, tried, slowest
