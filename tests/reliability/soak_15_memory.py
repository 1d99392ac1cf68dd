"""The largest runs that a shared page bears, viewers, and the largest files that may be brought, all at once."""

from __future__ import annotations

import asyncio
import re
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

import httpx

from app.middleware.json_body import TEACHER_BODY, TEACHERS
from app.runs.limits import MEMORY, check_cost
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.networks.cards import teacher_cards
from nayer.presets import PRESETS
from tests.reliability.booting import Application
from tests.reliability.figure import Figure
from tests.reliability.viewing import Viewers

SECONDS, VIEWERS, PAGE = 120.0, 50, 0.7e9  # bytes of the page itself
GIGABYTES = (2 * MEMORY + PAGE) / 1e9
TEACHER, PRESET = "cifar10", "nayer-paper"


def largest() -> dict[str, Any]:
    """NAYER as published, with the largest batch for which a shared page accepts it."""
    card = next(card for card in teacher_cards() if card.name == TEACHER)
    settings: dict[str, Any] = {"seconds": 240.0, "teacher": TEACHER}
    batch = 100
    while True:
        try:
            config = Config.parse({**settings, "synthesis_batch": batch + 10}, PRESETS[PRESET].config)
            check_cost([config], card, local=False)
        except ConfigError:
            return {"seconds": 240.0, "synthesis_batch": batch}
        batch += 10


def most(page: Application) -> float:
    """The most that was resident at any time, in GB."""
    status = Path(f"/proc/{page.process.pid}/status").read_text("utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1e6


def measure() -> Figure:
    settings = largest()
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder), SPACE_ID="me/nayer", HOST="127.0.0.1", NAYER_DATA_NETWORK="0")
        begun = [
            page.post("gradio_api/run/start", {"data": [TEACHER, PRESET, seed, "lte", 0, settings, ""]})["data"][0]
            for seed in (0, 1)
        ]
        viewers = [Viewers(page.url, one["run"], VIEWERS // 2, 2.0) for one in begun]
        crowds = [threading.Thread(target=asyncio.run, args=(one.watch(SECONDS),)) for one in viewers]
        for crowd in crowds:
            crowd.start()
        files = {name: (name, b"x" * (TEACHER_BODY // 4)) for name in ("config", "weights", "tests")}
        uploaded: list[int] = []

        def bring() -> None:
            while any(crowd.is_alive() for crowd in crowds):
                uploaded.append(httpx.post(f"{page.url}{TEACHERS}", files=files, timeout=120.0).status_code)

        bringers = [threading.Thread(target=bring) for _ in range(4)]
        for one in bringers:
            one.start()
        for one in (*bringers, *crowds):
            one.join()
        peak, alive = most(page), page.process.poll() is None
        states = [page.status(one["run"])["state"] for one in begun]
        page.end(signal.SIGKILL)
    return Figure(
        15,
        f"2 runs at a shared page's limits, {VIEWERS} viewers, 4 × {TEACHER_BODY >> 20} MB brought again and again, "
        f"{SECONDS:g} s",
        f"peak RSS ≤ {GIGABYTES:.1f} GB",
        f"{peak:.2f} GB; {len(uploaded)} brought; the runs are {' and '.join(states)}",
        peak <= GIGABYTES and alive and len(uploaded) > 4 and set(uploaded) == {200},
    )
