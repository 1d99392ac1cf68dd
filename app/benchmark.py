"""Times the page: its first answer, the cost of viewers for a run, its answers while two runs train.

`python -m app.benchmark` prints it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nayer.common.files import write_whole
from nayer.errors import NayerError

START_TIMEOUT = 120.0  # s, for the page to answer
TRIES = 100  # images that the pad's networks are asked about
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class RunningPage:
    """A running `python app.py`."""

    address: str
    process: int
    answered: float  # s after its start

    def get(self, path: str) -> bytes:
        """The answer to a GET of that path."""
        return self.ask(path)[0]

    def ask(self, path: str) -> tuple[bytes, float]:
        """The answer that a viewer gets, and the seconds until they ask again."""
        with urllib.request.urlopen(self.address + path, timeout=60) as answer:
            return bytes(answer.read()), float(answer.headers.get("Ask-Again", 1.0))

    def command(self, name: str, *arguments: Any) -> dict[str, Any]:
        """One of the page's own commands."""
        return dict(self.post(f"/command/{name}", arguments)["told"])

    def post(self, path: str, content: Any) -> dict[str, Any]:
        """The answer to a POST of that JSON. Raises NayerError with the sentence of a refusal."""
        asked = urllib.request.Request(
            self.address + path,
            json.dumps(content).encode(),
            {"Content-Type": "application/json", "Origin": self.address},
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            reply: dict[str, Any] = json.loads(answer.read())
        if "error" in reply:
            raise NayerError(reply["error"])
        return reply

    def start(self, teacher: str) -> dict[str, Any]:
        """A run of the preset `nayer` that outlasts any measurement: a lab of two arms."""
        arm = {"title": "measured", "preset": "nayer", "settings": {}}
        return self.command("start_lab", "", teacher, 0, 300.0, 1, [arm, arm | {"title": "beside"}], "")

    def peak_memory(self) -> float | None:
        """The peak memory of the process in GB; None when the system does not report it."""
        try:
            status = Path(f"/proc/{self.process}/status").read_text()
        except OSError:
            return None
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) / 1e6 if found else None


@contextmanager
def served() -> Iterator[RunningPage]:
    """`python app.py` on a free port, until the block ends. Raises NayerError if it never answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    began = time.monotonic()
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py"), "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "HOST": "127.0.0.1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while time.monotonic() - began < START_TIMEOUT and server.poll() is None:
            try:
                with urllib.request.urlopen(address, timeout=5) as answer:
                    if answer.status == 200:
                        break
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        else:
            raise NayerError(f"The page did not answer within {START_TIMEOUT:g} s of `python app.py`.")
        yield RunningPage(address, server.pid, time.monotonic() - began)
    finally:
        server.terminate()
        server.wait(timeout=30)


def page_facts(teacher: str) -> dict[str, float | None]:
    """The page's first answer time, its answer times while two runs train, and its memory."""
    with served() as page:
        facts: dict[str, float | None] = {"page_answers_after_seconds": page.answered}
        runs = [page.start(teacher) for _ in range(2)]
        for run in runs:
            _wait_for_progress(page, run["run"])
        answers = []
        for _ in range(20):
            began = time.monotonic()
            page.get("/")
            answers.append(time.monotonic() - began)
            time.sleep(0.25)
        facts["page_answers_beside_two_runs_seconds_median"] = statistics.median(answers)
        facts["page_answers_beside_two_runs_seconds_longest"] = max(answers)
        facts |= _trying_facts(page, teacher, [run["run"] for run in runs])
        facts["peak_memory_gigabytes_two_runs"] = page.peak_memory()
    return facts


def _trying_facts(page: RunningPage, teacher: str, runs: Sequence[str]) -> dict[str, float | None]:
    """How long the networks of a run take to answer about a test image, beside all these runs."""
    spent = []
    for pick in range(TRIES):
        image = json.loads(page.get(f"/teacher/{teacher}/real?label={pick % 10}&pick={pick}"))
        began = time.monotonic()
        page.post(f"/live/{runs[pick % len(runs)]}/try", {"pixels": image["pixels"]})
        spent.append(time.monotonic() - began)
        time.sleep(0.1)
    median, p95 = (statistics.quantiles(spent, n=20, method="inclusive")[place] for place in (9, 18))
    return {"pad_answers_beside_two_runs_seconds_median": median, "pad_answers_beside_two_runs_seconds_p95": p95}


def viewer_facts(teacher: str, viewers: tuple[int, ...] = (1, 10, 50), *, span: float = 10.0) -> dict[str, float]:
    """The share by which a run is slower with that many viewers than just before without viewers.

    Medians of five pairs, each of two turns of about `span` s: the machine's speed changes last longer than a pair.
    """
    slower: dict[str, list[float]] = {f"slower_with_{count}_viewers": [] for count in viewers}
    with served() as page:
        run = page.start(teacher)["run"]
        _wait_for_progress(page, run)
        for _ in range(5):
            for count, found in zip(viewers, slower.values(), strict=True):
                alone = _rate(page, run, span)
                with _watched_by(count, page, run):
                    found.append(1.0 - _rate(page, run, span) / alone)
    return {name: statistics.median(found) for name, found in slower.items()}


def import_facts() -> dict[str, float]:
    """Import times in seconds, medians of three turns: `import nayer` and a run's modules, beside `import torch`."""

    def spent(statement: str) -> float:
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
        return time.monotonic() - began

    statements = ("import torch", "import torch, nayer", "import torch, nayer.runs.run")
    turns = [[spent(statement) for statement in statements] for _ in range(3)]
    alone, package, core = (statistics.median(column) for column in zip(*turns, strict=True))
    return {
        "import_torch_seconds": alone,
        "import_nayer_adds_seconds": package - alone,
        "import_core_adds_seconds": core - alone,
    }


def _steps(page: RunningPage, run: str) -> int:
    """Events of the run so far, over all its arms."""
    return sum(int(part) for part in json.loads(page.get(f"/live/{run}/lab"))["seq"].split(","))


def _wait_for_progress(page: RunningPage, run: str) -> None:
    began = time.monotonic()
    while time.monotonic() - began < START_TIMEOUT:
        if _steps(page, run) > 40:
            return
        time.sleep(0.5)
    raise NayerError(f"The run did not start within {START_TIMEOUT:g} s.")


def _rate(page: RunningPage, run: str, span: float) -> float:
    """Rounds in a second of the arms' own work, over those that ended within about `span` seconds.

    It counts whole rounds, because the phases of a round have very different numbers of events.
    """
    before, after = _work_after(page, run, 0.0), _work_after(page, run, span)
    done = [(x - x0, s - s0) for (x, s), (x0, s0) in zip(after, before, strict=True)]
    return sum(rounds for rounds, _ in done) / sum(seconds for _, seconds in done)


def _work_after(page: RunningPage, run: str, span: float) -> list[tuple[float, float]]:
    """The work once `span` seconds are over and every arm has ended a round within them."""
    begun, began = _work(page, run), time.monotonic()
    while (waited := time.monotonic() - began) < START_TIMEOUT + span:
        work = _work(page, run)
        if waited >= span and all(now != before for now, before in zip(work, begun, strict=True)):
            return work
        time.sleep(max(0.5, span - waited))
    raise NayerError(f"A round took more than {START_TIMEOUT:g} s.")


def _work(page: RunningPage, run: str) -> list[tuple[float, float]]:
    """For each arm: the number of finished rounds, and their work in seconds."""
    news = json.loads(page.get(f"/live/{run}/lab"))["news"]
    curves = [arm["curve"] for arm in news]  # of [round, work, seconds, …]
    return [(curve[-1][0], curve[-1][2]) if curve else (0.0, 0.0) for curve in curves]


@contextmanager
def _watched_by(count: int, page: RunningPage, run: str) -> Iterator[None]:
    """`count` viewers who ask for news as often as the page's own script does."""
    over = threading.Event()

    def view(place: int) -> None:
        over.wait(place / count)  # two viewers never open a page in the same millisecond
        since = ""
        while not over.is_set():
            answer, again = page.ask(f"/live/{run}/lab?since={since}")
            since = json.loads(answer)["seq"] if answer else since
            over.wait(again)

    threads = [threading.Thread(target=view, args=(place,), daemon=True) for place in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def main() -> None:
    """Measures, prints one line for each result, and writes all results as JSON if a file is named."""
    parser = argparse.ArgumentParser(prog="python -m app.benchmark", description="Measure the page on this machine.")
    parser.add_argument("--teacher", default="fashion", metavar="NAME", help="Teacher of the runs (default: fashion).")
    parser.add_argument("--viewers", action="store_true", help="Also measure what 1, 10 and 50 viewers cost a run.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Also write all results to this JSON file.")
    chosen = parser.parse_args()
    facts = page_facts(chosen.teacher) | import_facts()
    if chosen.viewers:
        facts |= viewer_facts(chosen.teacher)
    for name, value in facts.items():
        sys.stdout.write(f"{name}: {'unknown' if value is None else f'{value:.3g}'}\n")
    if chosen.json:
        write_whole(chosen.json, (json.dumps(facts, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
