"""What every attack on a server is judged by: another visitor beside it, and what the server is like afterward."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.support.event_log import LONGEST_LINE
from tests.reliability.booting import QUICK, Application

OTHER, NEWCOMER = "127.0.0.3", "127.0.0.4"  # loopback has many addresses, and each is a visitor's
LOOK, START, MEGABYTES, LINES = 0.5, 30.0, 50.0, 200
FAILURES = (OSError, http.client.HTTPException, AssertionError, ValueError)
ROUNDS, ENDLESS = 3, 10_000  # of a run that has ended, and of one that goes on for longer than any attack
QUIET, PAUSE, TIMEOUT = 3.0, 0.1, 30.0  # s
UNHARMED = "others are unharmed"
MEANS = (
    f"Others are unharmed if another visitor's look takes ≤ {LOOK:g} s at the 95th percentile, if a new visitor's run "
    f"begins in ≤ {START:g} s (a turn among visitors who wait has 120 s at least), if no answer is 5xx, if the memory "
    f"is back within {MEGABYTES:g} MB, if the log has ≤ {LINES} new lines of ≤ {LONGEST_LINE:,} bytes, and if no run "
    "is lost."
)


@dataclass(frozen=True)
class Noticed:
    """What the others noticed of attacks. `looks`: attack -> seconds at the 95th percentile."""

    looks: dict[str, float]
    quiet: float  # a look without an attack, likewise
    start: float  # seconds until a new visitor's run began
    megabytes: float  # RSS more than before
    lines: int  # of the log
    longest: int  # bytes of such a line
    faults: int  # answers of 5xx
    lost: int  # runs

    @classmethod
    def worst(cls, several: Iterable[Noticed]) -> Noticed:
        """Of several servers."""
        found = list(several)
        return cls(
            {attack: seconds for one in found for attack, seconds in one.looks.items()},
            *(max(getattr(one, name) for one in found) for name in ("quiet", "start", "megabytes", "lines", "longest")),
            *(sum(getattr(one, name) for one in found) for name in ("faults", "lost")),
        )

    @property
    def held(self) -> bool:
        """Whether that is the target."""
        return (
            max(self.looks.values()) <= LOOK
            and self.start <= START
            and self.megabytes <= MEGABYTES
            and self.lines <= LINES
            and self.longest <= LONGEST_LINE
            and not self.faults
            and not self.lost
        )

    def __str__(self) -> str:
        looks = ", ".join(f"{attack} {_shown(seconds)}".strip() for attack, seconds in self.looks.items())
        return (
            f"looks {looks}, {_shown(self.quiet)} without; a new run begins in {_shown(self.start)}; "
            f"{self.faults} 5xx; RSS {self.megabytes:+.0f} MB; {self.lines} lines of ≤ {self.longest} bytes; "
            f"{self.lost} lost"
        )


class Bystander:
    """Another visitor, who has a run and looks at it beside attacks; and a new visitor, who comes after them."""

    def __init__(self, page: Application, rounds: int = ROUNDS) -> None:
        """Begins their run and waits for its first rounds. A run of more goes on beside the attack, in a place."""
        self._page = page
        self._address = urlsplit(page.url)
        self.statuses: Counter[int] = Counter()  # of all answers; a row adds those that its attacker got
        self._looks: dict[str, list[float]] = {}
        self._start: float | None = None
        self.run = self._begun(OTHER, rounds)["run"]
        until = time.monotonic() + 120
        while self._told(self.run).get("rounds_done", 0) < ROUNDS:
            assert time.monotonic() < until, "the run of the other visitor does not get on"
            time.sleep(PAUSE)
        self.measured_from_here()

    def measured_from_here(self) -> None:
        """What came before counts for nothing, such as what the server loads when it first needs it."""
        with self.beside(""):
            time.sleep(QUIET)
        self._quiet = _ninety_five(self._looks.pop(""))
        self._before, self._lines = self._page.settled(), len(self._page.said)
        self.statuses.clear()

    @contextmanager
    def beside(self, attack: str) -> Iterator[None]:
        """Looks as long as the attack goes on, ten times a second where the server keeps up."""
        over, taken = threading.Event(), self._looks.setdefault(attack, [])

        def look() -> None:
            while True:
                taken.append(self._look())
                if over.wait(PAUSE):
                    return

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def newcomer(self) -> dict[str, str]:
        """A new visitor's run, and their token. How long it waits for its place is told in the end."""
        self._start = float("inf")
        began, begun = time.monotonic(), self._begun(NEWCOMER, ENDLESS)
        while time.monotonic() - began <= START:
            if self._told(begun["run"]).get("state", "queued") != "queued":
                self._start = time.monotonic() - began
                break
            time.sleep(PAUSE)
        return begun

    def after(self, kept: float = 0.0) -> Noticed:
        """What was noticed, once the memory has come back or had a minute to.

        `kept`: MB that the page keeps on purpose, such as files that somebody brought. They count for nothing.
        """
        until = time.monotonic() + 60
        while self._page.memory() - self._before - kept > MEGABYTES and time.monotonic() < until:
            self._look()  # events wait for a visitor who has gone, for a minute
            time.sleep(1.0)
        grown = self._page.memory() - self._before - kept
        said = self._page.said[self._lines :]
        told: dict[str, Any] = {}
        with contextlib.suppress(*FAILURES):  # a server that was harmed need not answer
            if self._start is None:
                begun = self.newcomer()
                self._asked("POST", "/command/stop", [begun["run"], begun["token"]], NEWCOMER)
            told = self._told(self.run)
        there = told.get("state") in ("running", "finished") and told.get("rounds_done", 0) >= ROUNDS
        return Noticed(
            {attack: _ninety_five(taken) for attack, taken in self._looks.items()},
            self._quiet,
            float("inf") if self._start is None else self._start,
            grown,
            len(said),
            max((len(line.encode()) - 1 for line in said), default=0),
            sum(count for status, count in self.statuses.items() if status >= 500),
            int(not there),
        )

    def _look(self) -> float:
        """Seconds; without end where there is no answer, or another one."""
        began = time.monotonic()
        with contextlib.suppress(*FAILURES):
            status, _ = self._asked("GET", f"/live/{self.run}/status?since=0")
            if status in (200, 204):
                return time.monotonic() - began
        return float("inf")

    def _begun(self, address: str, rounds: int) -> dict[str, str]:
        body = {"data": ["digits", "nayer", 0, "lte", rounds, QUICK, ""]}
        status, content = self._asked("POST", "/gradio_api/run/start", body, address)
        assert status == 200, f"{status}: {content[:200]!r}"
        begun: dict[str, str] = json.loads(content)["data"][0]
        return begun

    def _told(self, run: str) -> dict[str, Any]:
        status, content = self._asked("GET", f"/live/{run}/status?since=0")
        told: dict[str, Any] = json.loads(content) if status == 200 else {}
        return told

    def _asked(self, method: str, path: str, body: object = None, address: str = OTHER) -> tuple[int, bytes]:
        """Status and content, over a new connection."""
        connection = http.client.HTTPConnection(
            str(self._address.hostname), self._address.port, timeout=TIMEOUT, source_address=(address, 0)
        )
        with contextlib.closing(connection):
            kind = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, json.dumps(body) if body is not None else None, kind)
            answer = connection.getresponse()
            self.statuses[answer.status] += 1
            return answer.status, answer.read()


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < TIMEOUT else f"more than {TIMEOUT:g} s"


def _ninety_five(taken: list[float]) -> float:
    """The 95th percentile."""
    return sorted(taken)[min(len(taken) - 1, int(0.95 * len(taken)))]
