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


def set_threads(threads: int, clock: str) -> None:
    """Gives the arithmetic of this process so many threads; 0 leaves the number to torch. Raises ConfigError."""
    if clock not in CLOCKS:
        raise ConfigError(f"clock must be one of {', '.join(CLOCKS)}; {clock!r} was given.")
    if clock == "cpu" and (threads or torch.get_num_threads()) > 1:
        raise ConfigError("clock='cpu' adds up the time of all threads, even while they wait; use --threads 1 with it.")
    if threads:
        torch.set_num_threads(threads)


def order_of(arguments: argparse.Namespace, clock: str, threads: int, fresh: Fresh | None = None) -> Order:
    """How the runs are made and timed at the place that the flags name."""
    return Order(clock, threads or torch.get_num_threads(), math.inf, fresh)


@contextmanager
def place_of(arguments: argparse.Namespace) -> Iterator[Place]:
    """The place that the flags name."""
    place = Here()
    try:
        yield place
    finally:
        place.close()
