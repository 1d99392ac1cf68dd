"""About how long a run takes on this machine, before it begins."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from statistics import median

import numpy as np

from app.runs.live_run import LiveRun
from nayer.config import Config
from nayer.exports.reproduce import known
from nayer.networks.cards import TeacherCard

# A round takes its multiply-adds divided by a rate, and a constant time for each step. Measured on two quiet cores that
# do REFERENCE operations a second in matrix products: docs/bench.json (nayer, fashion), the shipped recording
# (nayer-clear, emoji10).
REFERENCE = 222e9
RATE = 9e10  # multiply-adds in a second, one phase after the other
RATE_OVERLAPPED = 1.3e11  # where generator and student work at once
STEP_SECONDS = 0.004
SIDE = 768  # of the matrices whose product is timed
LATEST = 5  # runs from whose pace the estimate learns
SETTLED = 3  # rounds after which a run has a pace
ALIKE = 4.0  # times: a round that is so much shorter or longer tells nothing; of short ones the rest takes the time

Cards = Callable[[Config], TeacherCard | None]  # the teacher of a config, where it is known


def matrix_rate() -> float:
    """Floating-point operations that this machine does in a second now, in products of float32 matrices."""
    one = np.ones((SIDE, SIDE), np.float32)
    took = []
    for _ in range(4):
        began = time.perf_counter()
        one @ one
        took.append(time.perf_counter() - began)
    return float(2 * SIDE**3 / min(took))


class Durations:
    """For any thread. The estimate follows the pace of this process's own runs, once there are some."""

    def __init__(self, runs: Callable[[], Iterable[LiveRun]], measure: Callable[[], float] = matrix_rate) -> None:
        self._runs = runs
        self._measure = measure
        self._lock = threading.Lock()
        self._scale = 0.0  # this machine's seconds for one of the reference; 0 before it is measured

    def seconds(self, config: Config, card: TeacherCard, cards: Cards) -> float:
        """Of a whole run with its own limits. `cards` finds the teacher of an earlier run. Raises ConfigError for a
        round that is impossible."""
        per_round, work = self._round(config, card)
        whole = config.rounds * per_round * self._learned(cards, per_round)
        if config.work:
            whole *= min(1.0, config.work * 1e9 / (work * config.rounds))
        return min(whole, config.seconds or math.inf)

    def _round(self, config: Config, card: TeacherCard) -> tuple[float, int]:
        """Seconds of a round by the reference and this machine's matrix products, and its multiply-adds."""
        from nayer.runs.memory_use import use_of  # it imports torch, and the page must not wait for that

        with self._lock:
            if not self._scale:
                self._scale = REFERENCE / self._measure()
        work = use_of(config, card).work
        steps = config.generator_steps + config.student_steps
        return self._scale * (work / (RATE_OVERLAPPED if config.overlap else RATE) + steps * STEP_SECONDS), work

    def _learned(self, cards: Cards, per_round: float) -> float:
        """How much longer than estimated the latest runs took, in the median; 1 before there are any.

        Only runs count whose rounds are about as long as `per_round` seconds.
        """
        ratios = []
        for run in self._runs():
            view = run.views[0]
            if len(run.plan.arms) > 1 or view.started is None or len(view.ends) < SETTLED:
                continue
            config = known(view.started.config)
            if (card := cards(config)) is not None:
                took = (view.ends[-1] - view.ends[0]) / (len(view.ends) - 1)
                expected, _ = self._round(config, card)
                if per_round / ALIKE <= expected <= per_round * ALIKE:
                    ratios.append(took / expected)
        return median(ratios[-LATEST:]) if ratios else 1.0
