"""Says when a viewer polls next. Viewers take turns, so that many of them do not slow a run."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from cachetools import TTLCache

from app.middleware.client_address import address

QUICK = 0.4  # s between two polls when a person steps or watches in slow motion
TURNS = 12.0  # turns a second, for all viewers: an answer takes a few ms of Python, and no training step can begin then
LONGEST = 10.0  # s between two polls of a viewer; viewers share turns when there are too few for this


class PollPacer:
    """The turns of all viewers of this server's runs. `pause`: the seconds that a single viewer waits.

    No address waits longer than if all addresses shared the turns evenly.
    """

    def __init__(self, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0.0  # time of the latest turn that a viewer got
        self._own: TTLCache[str, float] = TTLCache(math.inf, LONGEST, clock)  # address -> its latest turn

    def again(self, *, quick: bool = False) -> float:
        """Seconds until the viewer of this request polls again."""
        with self._lock:
            now = self._clock()
            lane, soonest = address(), now + (QUICK if quick else self._pause)
            own = self._own.pop(lane, 0.0)
            shared = self._last + 1.0 / TURNS
            self._last = min(max(shared, soonest), now + LONGEST)
            turn = max(soonest, min(shared, own + (len(self._own) + 1) / TURNS, now + LONGEST))
            self._own[lane] = turn
            return turn - now
