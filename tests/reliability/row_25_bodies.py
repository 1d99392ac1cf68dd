"""What costs the server work before anybody knows what is asked: bodies of many values, long queries, page loads."""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from app.middleware.json_body import MOST_VALUES, SMALL_BODY
from tests.reliability.booting import QUICK, Application
from tests.reliability.figure import Figure
from tests.reliability.flooding import Flood, looks, ninety_five, request

CLIENTS, SECONDS, LOOK, MEGABYTES, LINES = 100, 10.0, 0.5, 50.0, 200
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

    def session(number: int) -> bytes:
        if number % 2:
            return request(url, "GET", f"/gradio_api/queue/data?session_hash=s{number}")
        body = json.dumps({**joining, "session_hash": f"s{number}"}).encode()
        return request(url, "POST", "/gradio_api/queue/join", body)

    return {
        **{name: lambda number, of=each: of[number % len(of)] for name, each in bodies.items()},
        "240 parameters": lambda number: request(url, "GET", f"/live/recording/status?since={number}&{query}"),
        "invented sessions": session,
        "page loads": lambda _: request(url, "GET", "/"),
    }


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder))
        going = page.start("", settings=QUICK)["run"]
        path = f"/live/{going}/status?since=0"
        asked = floods(page.url)
        for name in asked:  # what is loaded at first use counts for nothing
            with Flood(page.url, 2, asked[name]).going_on():
                looks(page.url, path, 1.0)
        quiet = ninety_five(looks(page.url, path, SECONDS))
        before, said = page.settled(), len(page.said)
        slowest: dict[str, float] = {}
        statuses: Counter[int] = Counter()
        for name, each in asked.items():
            flood = Flood(page.url, CLIENTS, each)
            with flood.going_on():
                slowest[name] = ninety_five(looks(page.url, path, SECONDS))
            statuses += flood.statuses
        until = time.monotonic() + 60
        while page.memory() - before > MEGABYTES and time.monotonic() < until:
            looks(page.url, path, 2.0, pause=1.0)
        after, lines = page.memory(), len(page.said) - said
        page.end(signal.SIGKILL)
    faults = sum(count for status, count in statuses.items() if status >= 500)
    told = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in slowest.items())
    return Figure(
        25,
        f"{CLIENTS} clients of one address, {SECONDS:.0f} s each: bodies as large as may be and larger, long queries, "
        "invented sessions, page loads",
        f"another visitor's look ≤ {LOOK:g} s at the 95th percentile, no 5xx, RSS back within {MEGABYTES:g} MB, "
        f"≤ {LINES} lines in the log",
        f"{told}, {quiet:.2f} s without; {statuses.total():,} answers, {dict(sorted(statuses.items()))}, {faults} 5xx; "
        f"RSS {after - before:+.0f} MB; {lines} lines",
        max(slowest.values()) <= LOOK and not faults and after - before <= MEGABYTES and lines <= LINES,
    )
