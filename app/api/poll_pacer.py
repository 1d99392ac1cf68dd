"""When a viewer asks next. Each is given a turn, so that a run keeps its time however many look on."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from cachetools import TTLCache

from app.middleware.client_address import address

QUICK = 0.4  # s between two questions where a person steps or watches in slow motion
TURNS = 12.0  # a second, over all viewers: an answer takes a few ms of Python, in which no training step can begin
LONGEST = 10.0  # s; where turns do not suffice for that they are shared


class PollPacer:
    """The turns of everybody who looks at this server's runs; `pause`: seconds that one viewer alone waits.

    Nobody waits longer for what others ask than if all addresses shared the turns evenly.
    """

    def __init__(self, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0.0  # the latest turn that was given away
        self._own: TTLCache[str, float] = TTLCache(math.inf, LONGEST, clock)  # address -> its latest turn

    def again(self, *, quick: bool = False) -> float:
        """In how many seconds whoever is being answered may ask again."""
        with self._lock:
            now = self._clock()
            lane, soonest = address(), now + (QUICK if quick else self._pause)
            own = self._own.pop(lane, 0.0)
            shared = self._last + 1.0 / TURNS
            self._last = min(max(shared, soonest), now + LONGEST)
            turn = max(soonest, min(shared, own + (len(self._own) + 1) / TURNS, now + LONGEST))
            self._own[lane] = turn
            return turn - now
