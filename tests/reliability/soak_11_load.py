"""Two runs and fifty viewers: how old what they see is, how long a command takes, and what the runs lose by it."""

from __future__ import annotations

import asyncio
import signal
import tempfile
import threading
import time
from pathlib import Path

from tests.reliability.booting import Application
from tests.reliability.figure import Figure
from tests.reliability.viewing import Viewers, share

VIEWERS, SECONDS, EVERY = 50, 30.0, 2.0
AGE, COMMAND, SLOWED = 2.0, 0.5, 15.0  # seconds, seconds, per cent


def progress(page: Application, runs: list[str], seconds: float) -> int:
    """Rounds that the runs do together in so many seconds."""

    def rounds() -> int:
        return sum(int(page.status(run)["rounds_done"]) for run in runs)

    before = rounds()
    time.sleep(seconds)
    return rounds() - before


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder))
        begun = [page.start("", settings={}), page.start("", settings={})]  # as a visitor begins them
        runs = [one["run"] for one in begun]
        progress(page, runs, 10.0)  # until all is warm
        alone = progress(page, runs, SECONDS)
        viewers = [Viewers(page.url, run, VIEWERS // 2, EVERY) for run in runs]
        crowds = [threading.Thread(target=asyncio.run, args=(one.watch(SECONDS + 6.0),)) for one in viewers]
        for crowd in crowds:
            crowd.start()
        time.sleep(3.0)
        taken: list[float] = []

        def commands() -> None:
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                began = time.monotonic()
                page.command("pace", begun[0]["run"], begun[0]["token"], 0.0)
                taken.append(time.monotonic() - began)
                time.sleep(0.5)

        commander = threading.Thread(target=commands)
        commander.start()
        watched = progress(page, runs, SECONDS)
        for one in (commander, *crowds):
            one.join()
        page.end(signal.SIGKILL)
    ages = [age for one in viewers for age in one.ages]
    answers = [answer for one in viewers for answer in one.answers]
    failures = sum(one.failures for one in viewers)
    slowed = 100.0 * (1.0 - watched / max(1, alone))
    age, command = share(ages, 0.95), share(taken, 0.95)
    return Figure(
        11,
        f"2 runs, {VIEWERS} viewers who ask every {EVERY:g} s, for {SECONDS:g} s",
        f"p95 of a frame's age ≤ {EVERY + AGE:g} s with the wait between two questions, of a command ≤ {COMMAND:g} s; "
        f"runs ≤ {SLOWED:g} % slower",
        f"age {age:.2f} s, command {command:.2f} s, answer {share(answers, 0.95):.2f} s at p95 of {len(answers):,}, "
        f"{failures} failed; rounds {alone} alone and {watched} watched, {slowed:+.0f} % slower",
        bool(ages) and age <= EVERY + AGE and command <= COMMAND and slowed <= SLOWED and not failures,
    )
