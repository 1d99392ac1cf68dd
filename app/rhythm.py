"""When a viewer asks next. Each is given a turn, so that a run keeps its time however many look on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

QUICK = 0.4  # s between two questions where a person steps or watches in slow motion
TURNS = 12.0  # a second, over all viewers: an answer takes a few ms of Python, in which no training step can begin
LONGEST = 10.0  # s; where turns do not suffice for that they are shared


class Rhythm:
    """The turns of everybody who looks at this server's runs; `pause`: seconds that one viewer alone waits."""

    def __init__(self, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0.0  # the latest turn that was given away

    def again(self, *, quick: bool = False) -> float:
        """In how many seconds whoever is being answered may ask again."""
        with self._lock:
            now = self._clock()
            turn = max(self._last + 1.0 / TURNS, now + (QUICK if quick else self._pause))
            self._last = min(turn, now + LONGEST)
            return self._last - now
