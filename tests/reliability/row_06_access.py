"""Every route with every verb, and every command and event by every way to it, by seven kinds of strangers."""

from __future__ import annotations

import tempfile
from pathlib import Path

from starlette.testclient import TestClient

from tests.reliability.figure import Figure
from tests.support.strangers import ENDLESS, HEAVY, VERBS, House, is_open, routes, tried


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        opened = {path for path, _ in routes(house.application.routes) if is_open(path)} - {ENDLESS}
        client = TestClient(
            house.application,
            base_url="http://127.0.0.1:7860",
            client=("127.0.0.1", 1),
            raise_server_exceptions=False,
        )
        with client:
            # starlette's client is one of httpx2, with the methods of httpx
            found = tried(house, client, house.victims, thorough=True, left_out=HEAVY)  # type: ignore[arg-type]
            house.gate.open.set()
    missed = opened - found.routes
    return Figure(
        6,
        f"open routes × {len(VERBS)} verbs × 7 kinds of strangers, at a run that runs, one that waits, one of the past",
        "every route, 0 leaks, 0 changes",
        f"{len(found.routes)} of {len(opened)} routes, {found.requests:,} requests, {len(found.leaks)} leaks or changes"
        + "".join(f"; {who}: {one.method} {one.path}: {what[:80]}" for who, one, what in found.leaks[:3]),
        not found.leaks and not missed,
    )
