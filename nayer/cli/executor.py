"""The flags that choose where the runs of a command run: in this process, or on a Ray cluster."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nayer.cluster.jobs import Executor, LocalExecutor
from nayer.compare.outcome import CLOCKS
from nayer.compare.run_jobs import FreshStudents, RunOptions
from nayer.errors import ConfigError

KEEP_SECONDS = 10.0  # between two checkpoints of a run on a cluster


def add_executor_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--on` and `--dashboard`, which `executor_of` reads."""
    parser.add_argument(
        "--on",
        default="",
        metavar="ray|ray://HOST:PORT",
        help="Run on a Ray cluster: ray starts one on this machine, an address uses one that exists.",
    )
    parser.add_argument(
        "--dashboard", action="store_true", help="With --on ray: also start Ray's dashboard, for this machine only."
    )


def set_threads(threads: int, clock: str) -> None:
    """Sets the number of threads of torch in this process; 0 leaves the number to torch. Raises ConfigError."""
    if clock not in CLOCKS:
        raise ConfigError(f"clock must be one of {', '.join(CLOCKS)}; {clock!r} was given.")
    if clock == "cpu" and (threads or torch.get_num_threads()) > 1:
        raise ConfigError("clock='cpu' adds up the time of all threads, even while they wait; use --threads 1 with it.")
    if threads:
        torch.set_num_threads(threads)


def run_options_of(
    arguments: argparse.Namespace, clock: str, threads: int, fresh: FreshStudents | None = None
) -> RunOptions:
    """How the runs are timed, on the executor that the flags name. On a cluster, a run has one thread by default.

    Raises ConfigError.
    """
    if arguments.on:
        return RunOptions(clock, threads or 1, KEEP_SECONDS, fresh)
    if arguments.dashboard:
        raise ConfigError("dashboard belongs to Ray; use it with --on ray.")
    return RunOptions(clock, threads or torch.get_num_threads(), math.inf, fresh)


@contextmanager
def executor_of(arguments: argparse.Namespace) -> Iterator[Executor]:
    """The executor that the flags name; it is closed at the end of the block. Raises ConfigError."""
    executor: Executor = LocalExecutor()
    if arguments.on:
        from nayer.cluster.ray_cluster import RayCluster, checked_address

        address = checked_address("on", arguments.on)
        if address and arguments.dashboard:
            raise ConfigError("dashboard is for a cluster that --on ray starts; this one has its own.")
        executor = RayCluster(address, dashboard=arguments.dashboard)
    try:
        yield executor
    finally:
        executor.close()
