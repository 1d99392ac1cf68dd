"""The flags that say where the runs of a command work: in this process, or on a Ray cluster."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nayer.cluster.places import Here, Place
from nayer.compare.outcome import CLOCKS
from nayer.compare.sittings import Fresh, Order
from nayer.errors import ConfigError

KEEP_SECONDS = 10.0  # between two checkpoints of a run on a cluster


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--on` and `--dashboard`, which `place_of` reads."""
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
    """Gives the arithmetic of this process so many threads; 0 leaves the number to torch. Raises ConfigError."""
    if clock not in CLOCKS:
        raise ConfigError(f"clock must be one of {', '.join(CLOCKS)}; {clock!r} was given.")
    if clock == "cpu" and (threads or torch.get_num_threads()) > 1:
        raise ConfigError("clock='cpu' adds up the time of all threads, even while they wait; use --threads 1 with it.")
    if threads:
        torch.set_num_threads(threads)


def order_of(arguments: argparse.Namespace, clock: str, threads: int, fresh: Fresh | None = None) -> Order:
    """How the runs are made and timed at the place that the flags name. On a cluster, a run has one thread by default.

    Raises ConfigError.
    """
    if arguments.on:
        return Order(clock, threads or 1, KEEP_SECONDS, fresh)
    if arguments.dashboard:
        raise ConfigError("dashboard is Ray's; use it with --on ray.")
    return Order(clock, threads or torch.get_num_threads(), math.inf, fresh)


@contextmanager
def place_of(arguments: argparse.Namespace) -> Iterator[Place]:
    """The place that the flags name; it ends with the block. Raises ConfigError."""
    place: Place = Here()
    if arguments.on:
        from nayer.cluster.ray_cluster import RayCluster, checked_address

        address = checked_address("on", arguments.on)
        if address and arguments.dashboard:
            raise ConfigError("dashboard is for a cluster that --on ray starts; this one has its own.")
        place = RayCluster(address, dashboard=arguments.dashboard)
    try:
        yield place
    finally:
        place.close()
