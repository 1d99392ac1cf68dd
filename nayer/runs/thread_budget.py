"""Shares the cores of a process among the runs that work in it: one run has them all, two have half each."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

KEPT = 1.0  # s that a place stays taken between two steps, so that the others' shares do not flutter


class Cores:
    """Who is at work, and how many threads each one's arithmetic may use.

    Oversubscription costs about 20 % of throughput. Sums over several threads round differently each time: only a run
    that has one thread all along repeats bit for bit.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[int, float] = {}  # by thread: when its place is free again
        self._all = 0  # threads; asked for at the first share, for that brings torch

    @contextmanager
    def share(self) -> Iterator[int]:
        """Inside, the calling thread's arithmetic uses its share of the threads; how many those are."""
        import torch

        me = threading.get_ident()
        with self._lock:
            self._all = self._all or torch.get_num_threads()
            now = self._clock()
            self._until = {who: until for who, until in self._until.items() if until > now} | {me: math.inf}
            threads = max(1, self._all // len(self._until))
        if threads != torch.get_num_threads():
            torch.set_num_threads(threads)  # of this thread, and of those that begin later
        try:
            yield threads
        finally:
            with self._lock:
                self._until[me] = self._clock() + KEPT
