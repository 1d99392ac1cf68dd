"""Who keeps both places from everybody else, and a server that is suspended: against a real one that others share."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.reliability.booting import QUICK, Application
from tests.reliability.bystander import UNHARMED, Bystander
from tests.reliability.figure import Figure

HOGS, GUEST = ("1.1.1.1", "2.2.2.2"), "9.9.9.9"  # addresses, as the proxy in front of a Space tells them
ENDLESS_ROUND = {"generator_steps": 2000, "student_steps": 10_000, "student_batch": 512, "warmup_rounds": 0}
GRACE, SUSPENDED = 12.0, 20.0  # s
SOON, PATIENCE, STOP = 30.0, 80.0, 10.0  # s: a step and what is measured at the end; a minute of standing still; a stop
GIVEN_UP = 300.0  # s


class VisitorTokens:
    """Each with an address of their own. All of them look at their runs until these end."""

    def __init__(self, application: Application, patience: float = GIVEN_UP) -> None:
        """`patience`: seconds after which they no longer wait for anything."""
        self.application = application
        self.patience = patience
        self.runs: dict[str, dict[str, str]] = {}

    def start(self, address: str, settings: Mapping[str, object], rounds: int = 1000) -> None:
        self.runs[address] = self.application.start("", rounds, settings, address=address)

    def command(self, address: str, name: str, *given: Any) -> None:
        run = self.runs[address]
        self.application.command(name, run["run"], run["token"], *given)

    def state(self, address: str) -> str:
        return str(self.application.status(self.runs[address]["run"])["state"])

    def until(self, address: str, *states: str) -> float:
        """Seconds until that visitor's run is in one of these states; without end where it takes too long."""
        began = time.monotonic()
        while time.monotonic() - began < self.patience:
            if {who: self.state(who) for who in self.runs}[address] in states:
                return time.monotonic() - began
            time.sleep(0.5)
        return float("inf")

    def leave(self) -> None:
        for address in self.runs:
            self.command(address, "stop")
        for address in self.runs:
            self.until(address, "stopped", "finished", "failed")
        self.runs = {}


def waited(visitors: VisitorTokens, settings: Mapping[str, object], rounds: int, pace: float) -> float:
    """How long a guest waits behind two runs with these settings, told to linger so long on each event."""
    for hog in HOGS:
        visitors.start(hog, settings, rounds)
        visitors.until(hog, "running")
        visitors.command(hog, "pace", pace)
    visitors.start(GUEST, QUICK)
    return visitors.until(GUEST, "running", "finished")


def stopped(visitors: VisitorTokens) -> float:
    """How long a stop takes of a run that tells of every thousandth step."""
    visitors.start(HOGS[0], ENDLESS_ROUND | {"seconds": 900.0, "event_every": 1000})
    visitors.until(HOGS[0], "running")
    time.sleep(5.0)
    began = time.monotonic()
    visitors.command(HOGS[0], "stop")
    visitors.until(HOGS[0], "stopped")
    visitors.runs = {}
    return time.monotonic() - began


def outlives(visitors: VisitorTokens, application: Application) -> bool:
    """Whether a run is still there when the server was suspended for longer than its grace."""
    visitors.start(GUEST, QUICK)
    visitors.until(GUEST, "running")
    application.process.send_signal(signal.SIGSTOP)
    time.sleep(SUSPENDED)
    application.process.send_signal(signal.SIGCONT)
    time.sleep(2.0)
    return visitors.state(GUEST) == "running"


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        application = Application(Path(folder), SPACE_ID="t/t", HOST="127.0.0.1", NAYER_GRACE_SECONDS=str(round(GRACE)))
        visitors = VisitorTokens(application)
        bystander = Bystander(application)
        waited(visitors, QUICK, 3, 0.0)  # two runs at once for the first time: their threads' memory stays
        visitors.leave()
        bystander.measured_from_here()
        with bystander.beside("endless rounds"):
            long = waited(visitors, ENDLESS_ROUND | {"seconds": 1.0}, 1, 0.0)
            visitors.leave()
        with bystander.beside("slow motion"):
            slow = waited(visitors, QUICK, 1000, 30.0)
            visitors.leave()
        stop = stopped(visitors)
        noticed = bystander.after()
        there = outlives(visitors, application)
        application.end(signal.SIGTERM)
    return Figure(
        19,
        "a guest behind two runs of one endless round and 1 s each, and behind two in slow motion; a stop between two "
        f"events; a run whose server is suspended for {SUSPENDED:.0f} s, with a grace of {GRACE:.0f} s",
        f"the guest begins within {SOON:.0f} s, and {PATIENCE:.0f} s; stopped within {STOP:.0f} s; the run goes on; "
        + UNHARMED,
        f"{long:.1f} s and {slow:.1f} s; {stop:.1f} s; {'it goes on' if there else 'it ended'}; {noticed}",
        long <= SOON and slow <= PATIENCE and stop <= STOP and there and noticed.held,
    )
