"""Limits how often an address may name a run that is not here, so that ids cannot be tried out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cachetools import LRUCache

TRIES = 120.0  # at once: a class behind one address whose pages all ask for runs of an earlier server
PER_SECOND = 2.0
_ADDRESSES = 10_000  # that are remembered


class MissLimiter:
    """A bucket of tries for every address, which refills. For any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: LRUCache[str, tuple[float, float]] = LRUCache(_ADDRESSES)  # address -> tries left, when

    def allowed(self, address: str) -> bool:
        """Whether that address has a try left."""
        with self._lock:
            return self._left(address) >= 1.0

    def missed(self, address: str) -> None:
        """Counts a try of an address that named an unknown run."""
        with self._lock:
            self._buckets[address] = (max(0.0, self._left(address) - 1.0), self._clock())

    def _left(self, address: str) -> float:
        tries, when = self._buckets.get(address, (TRIES, self._clock()))
        return min(TRIES, tries + PER_SECOND * (self._clock() - when))
