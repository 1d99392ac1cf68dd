"""Caches with bounds; one address cannot use up the room of the others."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from app.fairness.fair_executor import FairExecutor
from app.middleware.client_address import address

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_FAILURES = 64  # failures that are kept until the next request


def one(_: object) -> int:
    """The size of a value in a cache that counts values."""
    return 1


class FairCache(Generic[K, V]):
    """Values by key. Their `size` adds up to `most` at most. For any thread.

    When the cache is full, the address that holds the most loses its least recently used value.
    """

    def __init__(self, most: int, size: Callable[[V], int] = one) -> None:
        self._most = most
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[K, tuple[V, str, int]] = OrderedDict()  # value, lane, size; the longest unused first

    def get(self, key: K) -> V | None:
        """The value of that key; the call counts as a use. None when the value is not kept."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def pop(self, key: K) -> V | None:
        """The same as `get`, but it also removes the value."""
        with self._lock:
            return self._kept.pop(key, (None, "", 0))[0]

    def put(self, key: K, value: V, lane: str) -> None:
        """Keeps the value and replaces one with the same key. A value larger than the whole cache is not kept."""
        size = self._size(value)
        with self._lock:
            self._kept.pop(key, None)
            if size > self._most:
                return
            self._kept[key] = value, lane, size
            held = Counter[str]()
            for _, of, size in self._kept.values():
                held[of] += size
            while held.total() > self._most:
                heaviest = max(held, key=lambda lane: held[lane])
                oldest = next(key for key, (_, of, _) in self._kept.items() if of == heaviest)
                held[heaviest] -= self._kept.pop(oldest)[2]


class MakeOnce(Generic[K, V]):
    """Slow answers. Each is made once for all callers, in a turn of the first caller, and then kept.

    An unfinished answer is not in the cache, so the cache cannot evict it.
    """

    def __init__(self, turns: FairExecutor, kept: FairCache[K, V]) -> None:
        self._turns = turns
        self._kept = kept
        self._failed: FairCache[K, BaseException] = FairCache(_FAILURES)

    def kept(self, key: K) -> V | None:
        """The answer if it is kept."""
        return self._kept.get(key)

    def ask(self, key: K, make: Callable[[], V]) -> Future[V]:
        """A future for the answer. Raises Busy."""
        kept = self._kept.get(key)
        if kept is not None:
            answer: Future[V] = Future()
            answer.set_result(kept)
            return answer

        def made() -> V:
            value = make()
            self._kept.put(key, value, address())
            return value

        return self._turns.submit(made, key=(id(self), key))

    def look(self, key: K, make: Callable[[], V]) -> V | None:
        """The answer, or None while it is made. Raises Busy, and raises a failure once: the next look tries again."""
        if (failure := self._failed.pop(key)) is not None:
            raise failure

        def tried() -> V:
            try:
                return make()
            except Exception as error:
                self._failed.put(key, error, address())
                raise

        answer = self.ask(key, tried)
        if not answer.done():
            return None
        if answer.exception() is not None:
            self._failed.pop(key)  # the caller gets the failure now
        return answer.result()
