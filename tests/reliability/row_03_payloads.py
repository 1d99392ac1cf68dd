"""Generated payloads over HTTP, at every command and every event of the page, by every way to it."""

from __future__ import annotations

import json
import re
import signal
import tempfile
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from app.api.command_routes import NAMES
from tests.reliability.booting import Application
from tests.reliability.figure import Figure
from tests.support import nasty
from tests.support.repository import ROOT

PAYLOADS, SEED, LOGGED = 2000, 20261123, 2000  # bytes of log a payload
PUBLIC = re.compile(r"\[code\]\(code/[\w/.#]+\)")  # the captions' links to the code that the page shows
BROKEN = [b"", b"{", b"[" * 20_000, b'{"data":' * 5000, "[1]".encode("utf-16"), b"\xef\xbb\xbf[1]", b"\xff\xfe", b"NaN"]
BROKEN += [b'{"data": [], "data": [1]}', b'"text"', b"null", b"7", b'{"data": {"0": 1}}', b'{"data": null}']


class Prober:
    """Sends to one server and notes what went wrong."""

    def __init__(self, page: Application) -> None:
        self.client = httpx.Client(base_url=page.url, timeout=30.0)
        self.tried = 0
        self.holes: list[str] = []
        self.names = ["no_such", *(name[1:] for name in self.client.get("/gradio_api/info").json()["named_endpoints"])]
        self.events = [event for event in self.client.get("/config").json()["dependencies"] if event["backend_fn"]]

    def send(self, path: str, body: bytes) -> httpx.Response:
        self.tried += 1
        answer = self.client.post(path, content=body, headers={"Content-Type": "application/json"})
        self.look(path, body, answer)
        return answer

    def look(self, path: str, body: bytes, answer: httpx.Response) -> None:
        told = PUBLIC.sub("", answer.text)
        if answer.status_code >= 500 or "Traceback" in told or str(ROOT) in told or ".py" in told:
            self.holes.append(f"{path} {body[:200]!r}: {answer.status_code} {told[:80]}")

    def command(self, name: str, values: list[Any]) -> None:
        self.send(f"/command/{name}", json.dumps(values).encode())

    def direct(self, name: str, values: list[Any]) -> None:
        self.send(f"/gradio_api/run/{name}", json.dumps({"data": values}).encode())

    def named(self, name: str, values: dict[str, Any]) -> None:
        self.finished(f"/gradio_api/call/v2/{name}", json.dumps(values).encode(), f"/gradio_api/call/{name}")

    def called(self, name: str, values: list[Any]) -> None:
        path = f"/gradio_api/call/{name}"
        self.finished(path, json.dumps({"data": values}).encode(), path)

    def finished(self, path: str, body: bytes, read: str) -> None:
        """What comes of it is told in a second answer."""
        answer = self.send(path, body)
        if answer.status_code == 200:
            self.look(path, body, self.client.get(f"{read}/{answer.json()['event_id']}"))

    def event(self, event: dict[str, Any], values: list[Any], told: object) -> None:
        """As the page itself asks, with its form's values and its script's word."""
        session = f"s{self.tried}"
        asked = {"fn_index": event["id"], "data": values, "event_data": told, "session_hash": session}
        body = json.dumps(asked).encode()
        if self.send("/gradio_api/queue/join", body).status_code == 200:
            self.look("queue", body, self.client.get("/gradio_api/queue/data", params={"session_hash": session}))


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder))
        prober = Prober(page)
        before = sum(map(len, page.said))
        bounds = settings(
            max_examples=PAYLOADS // 5,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        values = st.lists(nasty.values, max_size=8)
        exact = st.lists(nasty.values, min_size=len(prober.events[0]["inputs"]), max_size=60)
        words = st.sampled_from(["run", "token", "settings", "label", "asked", "names"]) | nasty.words
        told = nasty.values | st.dictionaries(words, nasty.values, max_size=3)
        for attack in (
            given(st.sampled_from(NAMES), values)(prober.command),
            given(st.sampled_from(prober.names), values)(prober.direct),
            given(st.sampled_from(prober.names), values)(prober.called),
            given(st.sampled_from(prober.names), st.dictionaries(words, nasty.values, max_size=4))(prober.named),
            given(st.sampled_from(prober.events), values | exact, told)(prober.event),
        ):
            seed(SEED)(bounds(attack))()
        for body in BROKEN:
            for path in (
                "command/stop",
                "explore",
                "gradio_api/run/stop",
                "gradio_api/call/stop",
                "gradio_api/queue/join",
            ):
                prober.send(f"/{path}", body)
        logged = (sum(map(len, page.said)) - before) / prober.tried
        alive = page.process.poll() is None and prober.client.get("/health").status_code == 200
        page.end(signal.SIGKILL)
    return Figure(
        3,
        "generated payloads over HTTP at every command and event",
        f"seed {SEED}: {PAYLOADS:,}, no 5xx, nothing of the inside told, ≤ {LOGGED:,} bytes of log each",
        f"{prober.tried:,}, {len(prober.holes)} such, {logged:.0f} bytes of log each"
        + "".join(f"; {hole}" for hole in prober.holes[:2]),
        prober.tried >= PAYLOADS and not prober.holes and logged <= LOGGED and alive,
    )
