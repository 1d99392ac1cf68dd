"""The curves of a lab by arm and seed, folded from events, and their mean and range over the seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nayer.analysis.seed_range import over_seeds
from nayer.events import DiversityMeasured, Evaluated, EvaluatedAtStart, Event, RoundFinished, RunStarted, SecondOpinion

# What is measured of a round; shares from 0 to 1, Vendi scores and a cosine distance, as `lab_results.Result` has them.
MEASURES = ("accuracy", "label_accuracy", "named", "within", "across", "pool")
LONGEST = 160  # points of a curve that a page gets; a chart is not wider than a few hundred pixels


@dataclass(slots=True)
class Moment:
    """What was measured at the end of one round."""

    round: int  # −1 before the first step
    values: dict[str, float | None]  # by MEASURES; None where nothing was measured
    work: float = 0.0  # 10⁹ multiply-adds of the run so far; 0 where its config does not limit them
    seconds: float = 0.0  # of the run's own work
    seq: int = 0  # the `seq` of the arm's view when the round ended; 0 before


class SeedCurves:
    """Not thread-safe. An event that is added a second time changes only its `seq`."""

    def __init__(self) -> None:
        self._moments: dict[tuple[int, int], dict[int, Moment]] = {}  # (arm, seed) -> round -> moment
        self._seeds: dict[int, int] = {}  # arm -> its present seed

    def add(self, event: Event, seq: int) -> None:
        """Takes over the next event of an arm; `seq` is that of the arm's view after it."""
        if isinstance(event, RunStarted):
            self._seeds[event.arm] = int(event.config["seed"])
            self._moments.setdefault((event.arm, self._seeds[event.arm]), {})
        if event.arm not in self._seeds:
            return
        at_start = isinstance(event, EvaluatedAtStart)
        values = measures_of(event)
        if not values and not isinstance(event, RoundFinished):
            return
        rounds = self._moments[event.arm, self._seeds[event.arm]]
        number = -1 if at_start else event.round
        moment = rounds.setdefault(number, Moment(number, dict.fromkeys(MEASURES)))
        moment.values |= values
        if at_start:
            moment.seq = seq
        if isinstance(event, RoundFinished):
            moment.work, moment.seconds, moment.seq = event.work, event.seconds, seq

    def seed(self, arm: int) -> int | None:
        """The present seed of an arm; None before it began."""
        return self._seeds.get(arm)

    def of(self, arm: int, seed: int) -> list[Moment]:
        """The rounds of an arm with a seed that have ended, in order."""
        known = self._moments.get((arm, seed), {})
        return [known[number] for number in sorted(known) if known[number].seq]


def measures_of(event: Event) -> dict[str, float | None]:
    """Those of MEASURES that an event tells. A scale that an event of diversity does not have yet is None."""
    match event:
        case Evaluated():
            return {"accuracy": event.reached}
        case SecondOpinion():
            return {"named": event.named_share}
        case DiversityMeasured():
            within, across, pool = event.samples.means
            return {
                "label_accuracy": event.samples.within.label_accuracy,
                "within": within,
                "across": across,
                "pool": pool,
            }
        case _:
            return {}


def ranges(curves: SeedCurves, arms: int, seeds: Iterable[int], by: str) -> list[dict[str, list[list[float]]]]:
    """JSON-ready: for each arm and measure the points [x, mean, low, high, round]; `by` is work or seconds.

    The round is that of the last seed, whose images a page can show.
    """
    counted = list(seeds)
    return [{name: _range(curves, arm, counted, by, name) for name in MEASURES} for arm in range(arms)]


def _range(curves: SeedCurves, arm: int, seeds: Sequence[int], by: str, name: str) -> list[list[float]]:
    measured = [[one for one in curves.of(arm, seed) if one.values[name] is not None] for seed in seeds]
    lines = [
        (np.array([getattr(one, by) for one in line]), np.array([one.values[name] for one in line], dtype=np.float64))
        for line in measured
    ]
    x, mean, low, high = over_seeds(lines)
    if not len(x):
        return []
    last = next(line for line in reversed(measured) if line)
    rounds = np.interp(x, [getattr(one, by) for one in last], [one.round for one in last]).round()
    return [
        [*(_short(value) for value in point), int(number)]
        for *point, number in thinned(list(zip(x, mean, low, high, rounds, strict=True)))
    ]


def thinned(points: Sequence[Sequence[float]], longest: int = LONGEST) -> list[Sequence[float]]:
    """At most `longest` of the points, evenly chosen, the first and the last among them."""
    if len(points) <= longest:
        return list(points)
    return [points[int(place)] for place in np.linspace(0, len(points) - 1, longest).round()]


def numbers(moment: Moment) -> list[float | None]:
    """JSON-ready: round, work, seconds, then MEASURES."""
    values = (moment.work, moment.seconds, *moment.values.values())
    return [moment.round, *(None if value is None else _short(value) for value in values)]


def complete(results: Iterable[tuple[int, int, bool]], arms: Iterable[int]) -> list[int]:
    """The seeds that all of `arms` have done, ascending. `results`: (arm, seed, whether it is done)."""
    done: Mapping[int, set[int]] = {arm: set() for arm in arms}
    for arm, seed, is_done in results:
        if is_done and arm in done:
            done[arm].add(seed)
    return sorted(set.intersection(*done.values())) if done else []


def _short(value: float) -> float:
    return float(f"{value:.4g}")
