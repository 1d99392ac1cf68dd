"""Shares the cores of a process among its active runs: one run has all cores, two runs have half each."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MAX_THREADS = 256  # that a person may ask for
KEPT = 1.0  # s that a run keeps its share between two steps, so that the other shares do not change all the time


class Cores:
    """The active runs, and how many threads the arithmetic of each may use.

    Oversubscription costs about 20 % of throughput. Sums over several threads round differently each time, so only a
    run that always has one thread repeats bit for bit.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[int, float] = {}  # by thread: the time when its place is free again
        self._all = 0  # number of threads; read at the first share, because it imports torch

    @contextmanager
    def share(self) -> Iterator[int]:
        """Limits the calling thread's arithmetic to its share of the threads inside the block. Yields that number."""
        import torch

        me = threading.get_ident()
        with self._lock:
            self._all = self._all or torch.get_num_threads()
            now = self._clock()
            self._until = {who: until for who, until in self._until.items() if until > now} | {me: math.inf}
            threads = max(1, self._all // len(self._until))
        if threads != torch.get_num_threads():
            torch.set_num_threads(threads)  # for this thread, and for threads that begin later
        try:
            yield threads
        finally:
            with self._lock:
                self._until[me] = self._clock() + KEPT
