"""`python -m tests.nayer.cluster.wall_time`: how long the same arms take in three ways, on this machine.

one process     two threads, one arm after the other
two processes   one thread each, without Ray: a pool of `concurrent.futures`
two nodes       one processor each, on a Ray cluster that already runs on loopback

Each way is a process of its own in each repetition, and the ways take turns at being first. It prints the median of the
seconds, their range, and the ratio to one process, as a table in Markdown. *Whole* is from the start of the process to
its end, with the import of torch; *arms* is from the order to the last outcome. It stops at `--limit` with what it has.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from statistics import median

import torch

from nayer.common.machine import machine
from nayer.compare.experiments import Arm
from nayer.compare.outcome import Outcome
from nayer.compare.run_jobs import Finished, RunOptions, run_all, run_one
from nayer.config import Config
from nayer.presets import get
from tests.support.ray_nodes import two_nodes
from tests.support.repository import ROOT

SEEDS = range(8)
THREADS = {"one process": 2, "two processes": 1, "two nodes": 1}


def arms(rounds: int) -> list[tuple[Arm, int]]:
    """Real small runs of digits with the preset nayer, alike but for the seed: half a second of a core per round."""
    shared = {"teacher": "digits", "rounds": rounds, "device": "cpu"}
    return [(Arm("nayer", Config.parse(shared, get("nayer").config)), seed) for seed in SEEDS]


def one_process(rounds: int, address: str) -> list[Outcome]:
    """One arm after the other."""
    return [run_one(*run)[0] for run in arms(rounds)]


def two_processes(rounds: int, address: str) -> list[Outcome]:
    """A pool of two processes. Each takes the next arm when it is free."""
    pool = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), torch.set_num_threads, (1,))
    with pool:
        return list(pool.map(partial(one_of, rounds), range(len(arms(rounds)))))


def one_of(rounds: int, number: int) -> Outcome:
    """The arm of that number."""
    return run_one(*arms(rounds)[number])[0]


def two_nodes_of_a_cluster(rounds: int, address: str) -> list[Outcome]:
    """The cluster at `address`."""
    from nayer.cluster.ray_cluster import RayCluster

    with closing(RayCluster(address)) as cluster:
        ends = [one for one in run_all(arms(rounds), RunOptions("wall", 1, 10.0), cluster) if isinstance(one, Finished)]
    return [one.outcome for one in sorted(ends, key=lambda one: one.number)]


WAYS: dict[str, Callable[[int, str], list[Outcome]]] = {
    "one process": one_process,
    "two processes": two_processes,
    "two nodes": two_nodes_of_a_cluster,
}


def child(way: str, rounds: int, address: str) -> None:
    """Makes all arms in one way, and prints the seconds and the results."""
    torch.set_num_threads(THREADS[way])
    began = time.monotonic()
    outcomes = WAYS[way](rounds, address)
    told = {"arms": time.monotonic() - began, "results": [[one.arm, one.seed, one.curve[-1][1]] for one in outcomes]}
    print(json.dumps(told))  # noqa: T201


def measured(way: str, rounds: int, address: str, seconds: float) -> dict[str, object]:
    """The seconds of one repetition. Raises TimeoutExpired."""
    began = time.monotonic()
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    working = subprocess.Popen(
        [sys.executable, "-m", __spec__.name, "--way", way, "--rounds", str(rounds), "--address", address],
        env={**os.environ, "OMP_NUM_THREADS": str(THREADS[way]), "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        told, _ = working.communicate(timeout=max(1.0, seconds))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(working.pid, signal.SIGKILL)  # with the processes of its pool
        working.wait()
    if working.returncode:
        raise RuntimeError(f"{way} failed; see above.")
    return {"whole": time.monotonic() - began, **json.loads(told.splitlines()[-1])}


def table(found: dict[str, list[dict[str, object]]]) -> str:
    """The seconds of each way, and their ratio to one process."""
    lines = ["| way | repetitions | whole, s | ratio | arms, s | ratio |", "| --- | --- | --- | --- | --- | --- |"]
    for way, told in found.items():
        cells = [way, str(len(told))]
        for name in ("whole", "arms"):
            seconds, first = ([float(str(one[name])) for one in found[of]] for of in (way, "one process"))
            if seconds and first:
                cells += [f"{median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"]
                cells += [f"{median(seconds) / median(first):.2f}"]
            else:
                cells += ["–", "–"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def compared(rounds: int, repetitions: int, limit: float) -> str:
    """Measures all ways, and returns the table. Raises AssertionError if one thread gave two different results."""
    deadline, found = time.monotonic() + limit, {way: list[dict[str, object]]() for way in WAYS}
    folder, ended = Path(tempfile.mkdtemp(prefix="nr-", dir="/tmp")), ""
    try:
        with two_nodes(folder) as nodes:
            for repetition in range(repetitions):
                for place in range(len(WAYS)):
                    way = list(WAYS)[(place + repetition) % len(WAYS)]
                    found[way].append(measured(way, rounds, nodes.address, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        ended = f"Stopped after {limit:.0f} s.\n"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    same = [one["results"] for way in ("two processes", "two nodes") for one in found[way]]
    assert all(one == same[0] for one in same), "one thread gave different results"
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{table(found)}{ended}{len(arms(rounds))} arms of {rounds} rounds. {machine('cpu')}; load {load} at the end.\n"
    )


def main(words: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.nayer.cluster.wall_time", description=__doc__)
    parser.add_argument("--rounds", type=int, default=6, help="Rounds of each arm (default: %(default)s).")
    parser.add_argument("--repetitions", type=int, default=3, help="Repetitions (default: %(default)s).")
    parser.add_argument("--limit", type=float, default=290.0, help="Seconds for everything (default: %(default)s).")
    parser.add_argument("--way", choices=tuple(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--address", default="", help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if given.way:
        child(given.way, given.rounds, given.address)
    else:
        sys.stdout.write(compared(given.rounds, given.repetitions, given.limit))


if __name__ == "__main__":
    main()
