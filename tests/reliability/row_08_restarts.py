"""The whole application, killed or asked to end in mid-run, and started again on the same folder."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from pathlib import Path

from tests.reliability.booting import Application
from tests.reliability.figure import Figure

EACH, SEED = 20, 20261123
HONEST_SECONDS, ORDERLY_SECONDS = 15.0, 8.0


def measure() -> Figure:
    rng = random.Random(SEED)
    slowest_boot = slowest_end = 0.0
    wrong: list[str] = []
    lost = resumed = 0
    token = ""
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder))
        begun = page.start(token)
        token = begun["token"]
        for number in range(2 * EACH):
            asked = signal.SIGKILL if number % 2 else signal.SIGTERM
            run = begun["run"]
            until = time.monotonic() + rng.uniform(0.5, 4.0)
            seen = 0
            while time.monotonic() < until or not seen:
                seen = page.status(run).get("rounds_done", 0)
                time.sleep(0.1)
            code, took = page.end(asked)
            if asked == signal.SIGTERM:
                slowest_end = max(slowest_end, took)
                wrong += [] if code in (0, -signal.SIGTERM) else [f"exit {code}"]
            before = time.monotonic()
            page = Application(Path(folder))
            told = page.status(run)
            slowest_boot = max(slowest_boot, time.monotonic() - before)
            wrong += [] if told["state"] == "interrupted" else [f"state {told['state']}"]
            lost = max(lost, seen - told["rounds_done"])
            answer = page.command("revive", run, token) if number % 3 else {"told": page.start(token)}
            wrong += [] if "told" in answer else [str(answer)]
            begun = {"run": answer["told"]["run"], "token": token} if "told" in answer else page.start(token)
            resumed += bool(number % 3)
        page.end(signal.SIGKILL)
    return Figure(
        8,
        "the application SIGKILLed and SIGTERMed in mid-run, then started again",
        f"seed {SEED}: {EACH} + {EACH}: serving and honest ≤ {HONEST_SECONDS:g} s, "
        f"orderly end ≤ {ORDERLY_SECONDS:g} s, at most the two rounds lost that were still to be written",
        f"{EACH} + {EACH}: serving and honest after at most {slowest_boot:.1f} s, orderly end in at most "
        f"{slowest_end:.1f} s, {resumed} runs gone on with, at most {lost} rounds less than a viewer had seen"
        + "".join(f"; {one}" for one in wrong[:3]),
        not wrong and slowest_boot <= HONEST_SECONDS and slowest_end <= ORDERLY_SECONDS and lost <= 2,
    )
