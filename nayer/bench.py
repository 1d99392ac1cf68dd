"""How long things take here and now: printed, never asserted, for the machine is shared and its speed its own.

Compare numbers of one run of this with each other, not with yesterday's.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from nayer import methods
from nayer.config import Config
from nayer.errors import ConfigError, NayerError
from nayer.events import Evaluated, GeneratorStep, RoundSynthesised
from nayer.experiment import open_run

START_TIMEOUT = 120.0  # s, for the page to answer


@dataclass(frozen=True, slots=True)
class Timing:
    """One run, in seconds since it was asked for and shares in 0..1."""

    seed: int
    first_picture: float  # s, the first step's preview
    first_round: float  # s, the first finished batch
    accuracy: float | None  # of the student at the end
    teacher_accuracy: float | None
    agreement: float | None
    rounds: int


def add_bench_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments `bench_command` reads."""
    parser.add_argument("--teacher", default="fashion", help="Whose student is timed (default: fashion).")
    parser.add_argument("--preset", default="nayer", metavar="|".join(methods.PRESETS), help="(default: nayer)")
    parser.add_argument("--seeds", default="0,1,2", metavar="N,N,…", help="One run each (default: 0,1,2).")
    parser.add_argument("--seconds", type=float, default=60.0, help="Seconds of training a run (default: 60).")
    parser.add_argument("--page", action="store_true", help="Also time `python app.py` from its start to its answer.")


def bench_command(arguments: argparse.Namespace) -> int:
    """Prints a line a run, then the mean and spread."""
    config = Config.parse(
        {"teacher": arguments.teacher, "seconds": arguments.seconds}, methods.get(arguments.preset).config
    )
    if arguments.page:
        _print({"page_answers_after_seconds": round(page_start(), 2)})
    timings = [_timed(Config.parse({"seed": seed}, config)) for seed in _seeds(arguments.seeds)]
    accuracies = [t.accuracy for t in timings if t.accuracy is not None]
    summary: dict[str, object] = {"preset": arguments.preset, "teacher": arguments.teacher, "runs": len(timings)}
    summary["first_picture_seconds_median"] = round(statistics.median(t.first_picture for t in timings), 2)
    if accuracies:
        summary["accuracy_mean"] = round(statistics.mean(accuracies), 4)
        summary["accuracy_spread"] = round(max(accuracies) - min(accuracies), 4)
    _print(summary)
    return 0


def _timed(config: Config) -> Timing:
    began = time.monotonic()
    pictures: list[float] = []
    batches: list[float] = []
    last: Evaluated | None = None
    for event in open_run(config).events():
        if isinstance(event, GeneratorStep) and not pictures:
            pictures.append(time.monotonic() - began)
        elif isinstance(event, RoundSynthesised):
            batches.append(time.monotonic() - began)
        elif isinstance(event, Evaluated):
            last = event
    if last is None:
        raise ConfigError(f"seconds={config.seconds:g} ended before the first measurement; use more.")
    timing = Timing(
        seed=config.seed,
        first_picture=pictures[0],
        first_round=batches[0],
        accuracy=last.accuracy,
        teacher_accuracy=last.teacher_accuracy,
        agreement=last.agreement,
        rounds=last.round + 1,
    )
    _print({name: getattr(timing, name) for name in Timing.__slots__})
    return timing


def page_start() -> float:
    """Seconds from `python app.py` to its page's first answer; the server is stopped again."""
    root = Path(__file__).resolve().parent.parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.monotonic()
    server = subprocess.Popen(
        [sys.executable, str(root / "app.py"), "--port", str(port)],
        cwd=root,
        env={**os.environ, "HOST": "127.0.0.1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while time.monotonic() - began < START_TIMEOUT:
            if server.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    if answer.status == 200:
                        return time.monotonic() - began
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise NayerError(f"The page did not answer within {START_TIMEOUT:g} s of `python app.py`.")
    finally:
        server.terminate()
        server.wait(timeout=30)


def _seeds(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"seeds={text[:60]!r} does not work; use whole numbers with commas between.") from None


def _print(facts: dict[str, object]) -> None:
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in facts.items()}
    sys.stdout.write(json.dumps(rounded) + "\n")
    sys.stdout.flush()
