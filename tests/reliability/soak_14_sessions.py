"""Two hundred visits one after the other, four at once: what the server keeps of them."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from app.server import MEMORY_SWEEPS, SWEEP_SECONDS
from tests.reliability.booting import QUICK, Application
from tests.reliability.figure import Figure

SESSIONS, TOGETHER, FIRST = 200, 4, 50
SLOPE, LOOSE = 50.0, 2  # kB a session; threads and files


def visit(page: Application, number: int) -> bool:
    """Opens the page, plays, watches, steps, stops and leaves, as a browser would."""
    with httpx.Client(base_url=page.url, timeout=60.0) as client:
        session = f"visit{number}"
        client.get("/")
        client.get("/config")
        given = {"data": ["digits", "nayer", number, "lte", 2, QUICK, ""], "session_hash": session}
        begun = client.post("/gradio_api/run/start", json=given).json()["data"][0]
        run, token = begun["run"], begun["token"]
        seq, until = 0, time.monotonic() + 60.0
        state = begun["state"]
        while state in ("queued", "starting", "running") and time.monotonic() < until:
            answer = client.get(f"/live/{run}/status", params={"since": seq})
            if answer.status_code == 200:
                news = answer.json()
                seq, state = news["seq"], news["state"]
                for row in news.get("rows", [])[-1:]:
                    client.get(f"/live/{run}/frame/{row['frame']}.jpg")
            time.sleep(0.1)
        client.post("/command/stop", json=[run, token])
        client.post("/command/leave", json=[run, token])
        return state in ("finished", "stopped")


def census(page: Application, temporary: Path) -> tuple[int, int, int]:
    """Threads, open files, files in the folder for temporary ones."""
    process = Path(f"/proc/{page.process.pid}")
    left = sum(len(files) for _, _, files in os.walk(temporary))
    return len(os.listdir(process / "task")), len(os.listdir(process / "fd")), left


def lowest(page: Application) -> float:
    """MB resident at rest: in between what is freed is given back, without which it moves by 50 MB either way."""
    most = time.monotonic() + SWEEP_SECONDS * MEMORY_SWEEPS + 2.0
    found = page.memory()
    while time.monotonic() < most:
        time.sleep(0.5)
        found = min(found, page.memory())
    return found


def slope(points: list[tuple[int, float]]) -> float:
    """Least squares: MB a session."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as temporary:
        page = Application(Path(folder), GRADIO_TEMP_DIR=temporary, TMPDIR=temporary)
        points: list[tuple[int, float]] = []
        before = (0, 0, 0)
        well = 0
        with ThreadPoolExecutor(TOGETHER) as visitors:
            for begin in range(0, SESSIONS, FIRST):
                well += sum(visitors.map(lambda number: visit(page, number), range(begin, begin + FIRST)))
                points.append((begin + FIRST, lowest(page)))
                before = before if before != (0, 0, 0) else census(page, Path(temporary))
        after = census(page, Path(temporary))
        page.end(signal.SIGKILL)
    at_rest = ", ".join(f"{low:.0f}" for _, low in points)
    grown = 1000.0 * slope(points)
    steady = all(now <= then + LOOSE for now, then in zip(after, before, strict=True))
    return Figure(
        14,
        f"{SESSIONS} visits, {TOGETHER} at once, each with a run",
        f"RSS ≤ {SLOPE:g} kB a visit after the first {FIRST}; threads and files ± {LOOSE}, none in the folder for "
        "temporary ones",
        f"{well} well, {grown:+.0f} kB a visit ({at_rest} MB); threads, files, temporary: {before} then {after}",
        well == SESSIONS and grown <= SLOPE and steady,
    )
