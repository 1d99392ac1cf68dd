"""What costs the server work before anybody knows what is asked: bodies of many values, long queries, page loads."""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from app.middleware.json_body import MOST_VALUES, SMALL_BODY
from tests.reliability.booting import Application
from tests.reliability.bystander import ENDLESS, UNHARMED, Bystander
from tests.reliability.figure import Figure
from tests.reliability.flooding import Flood, request

CLIENTS, SECONDS = 100, 10.0
START = "/gradio_api/run/start"
DOORS = ("/explore", START)


def floods(url: str) -> dict[str, Callable[[int], bytes]]:
    """By name: what is sent, of a number that is another one each time."""

    def posts(content: object) -> list[bytes]:
        """One for each door, in the form that it takes."""
        return [
            request(url, "POST", door, json.dumps({"data": content, "typed": content}).encode()[: 230 << 10])
            for door in DOORS
        ]

    nested: object = []
    for _ in range(20):
        nested = [nested]
    few = (MOST_VALUES - 10) // 2  # each content is there twice
    bodies = {
        "lists that are read": posts([[]] * (few // 2)),
        "texts that are read": posts(["x" * 15] * few),
        "a text that is read": posts("\n" + "x" * (SMALL_BODY // 2 - 100)),
        "nested lists": posts([nested] * 1300),
        "empty lists": posts([[]] * 28_000),
        "short texts": posts([""] * 28_000),
        "one text": posts("x" * 110_000),
        "names": posts({f"{number:x}": 0 for number in range(12_000)}),
    }
    query = "&".join(f"a{number}={number}" for number in range(240))
    joining = {"data": [], "fn_index": 0, "trigger_id": 0}

    def in_turn(each: Sequence[bytes]) -> Callable[[int], bytes]:
        return lambda number: each[number % len(each)]

    def session(number: int) -> bytes:
        if number % 2:
            return request(url, "GET", f"/gradio_api/queue/data?session_hash=s{number}")
        body = json.dumps({**joining, "session_hash": f"s{number}"}).encode()
        return request(url, "POST", "/gradio_api/queue/join", body)

    return {
        **{name: in_turn(each) for name, each in bodies.items()},
        "240 parameters": lambda number: request(url, "GET", f"/live/recording/status?since={number}&{query}"),
        "invented sessions": session,
        "page loads": lambda _: request(url, "GET", "/"),
    }


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder))
        bystander = Bystander(page, ENDLESS)
        asked = floods(page.url)
        for each in asked.values():  # what is loaded at first use counts for nothing
            with Flood(page.url, 2, each).going_on():
                time.sleep(1.0)
        bystander.measured_from_here()
        statuses: Counter[int] = Counter()
        for name, each in asked.items():
            flood = Flood(page.url, CLIENTS, each)
            with flood.going_on(), bystander.beside(name):
                time.sleep(SECONDS)
            statuses += flood.statuses
        bystander.statuses += statuses
        noticed = bystander.after()
        page.end(signal.SIGKILL)
    return Figure(
        25,
        f"{CLIENTS} clients of one address, {SECONDS:.0f} s each: bodies as large as may be and larger, long queries, "
        "invented sessions, page loads",
        UNHARMED,
        f"{statuses.total():,} answers, {dict(sorted(statuses.items()))}; {noticed}",
        noticed.held,
    )
