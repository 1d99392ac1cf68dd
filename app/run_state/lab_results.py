"""The results of a lab, by arm and seed, folded from events, and the conclusion."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

from app.run_state.seed_curves import MEASURES, complete, measures_of
from nayer.analysis.significance import verdict
from nayer.events import Evaluated, Event, GeneratorStep, RoundFinished, RunFailed, RunFinished, RunStarted


@dataclass(frozen=True, slots=True)
class Result:
    """The present result of one arm with one seed; shares from 0 to 1."""

    arm: int
    seed: int
    accuracy: float | None = None  # on test images, or `measured` where there are none
    measured: str = "accuracy"  # or agreement with the teacher
    label_accuracy: float | None = None
    named: float | None = None  # share that the judge names as wanted
    within: float | None = None  # Vendi score of a round
    across: float | None = None  # cosine distance to an earlier round's nearest image
    pool: float | None = None  # Vendi score over the pool
    seconds: float = 0.0  # of the arm's own work
    work: float = 0.0  # 10⁹ multiply-adds, at the end of the latest round
    rounds: int = 0
    steps: int = 0  # of the generator
    done: bool = False
    failure: str = ""


Results = Mapping[tuple[int, int], Result]


def fold_results(results: Results, events: Iterable[Event]) -> Results:
    """The results after these events. A repeated event changes nothing."""
    after = dict(results)
    current = {arm: (arm, seed) for arm, seed in after}  # the latest seed of each arm was put in last
    for event in events:
        if isinstance(event, RunStarted):
            current[event.arm] = (event.arm, int(event.config["seed"]))
            after.setdefault(current[event.arm], Result(*current[event.arm]))
        elif event.arm in current:
            after[current[event.arm]] = _after(after[current[event.arm]], event)
    return after


def _after(result: Result, event: Event) -> Result:
    known: dict[str, Any] = {name: value for name, value in measures_of(event).items() if value is not None}
    seconds, rounds = max(result.seconds, event.seconds), max(result.rounds, event.round + 1)
    result = replace(result, seconds=seconds, rounds=rounds, **known)
    match event:
        case Evaluated(accuracy=None):
            return replace(result, measured="agreement")
        case GeneratorStep():
            return replace(result, steps=event.round * event.steps + event.step + 1)
        case RoundFinished():
            return replace(result, work=max(result.work, event.work))
        case RunFinished():
            return replace(result, done=True)
        case RunFailed() if not result.done:  # after `done`, the failure belongs to the next seed, which cannot begin
            return replace(result, done=True, failure=event.message)
        case _:
            return result


def sentences(
    results: Results, titles: Sequence[str], failed: Collection[int] = (), thinned: Sequence[str] = ()
) -> list[str]:
    """The verdicts on accuracy and diversity, over the seeds that all arms finished; before that, the present state.

    Diversity is told once two arms have it: it comes later than an accuracy. Arms that `failed` are left out, and that
    is said. `thinned`: titles of arms whose student starts with weights of its teacher, which is said too.
    """
    named = [f"“{title}”" for title in titles]  # a title may be any words, such as never
    going = [arm for arm in range(len(titles)) if arm not in failed]
    compared = {key: result for key, result in results.items() if key[0] in going}
    seeds = counted_seeds(results, len(titles), failed)
    counted = {key: result for key, result in compared.items() if key[1] in seeds} if seeds else compared
    ended = bool(seeds)
    measured = next((result.measured for result in counted.values()), "accuracy")

    def by_arm(name: str, scale: float) -> dict[str, dict[int, float]]:
        found: dict[str, dict[int, float]] = {named[arm]: {} for arm in going}
        for (arm, seed), result in counted.items():
            value = getattr(result, name)
            if value is not None:
                found[named[arm]][seed] = scale * value
        return found

    diversity = by_arm("pool", 1.0)
    told = [
        *(f"The student of “{title}” starts with weights of its teacher." for title in thinned),
        *(f"{named[arm]} failed and is left out of the comparison." for arm in failed),
        verdict(by_arm("accuracy", 100.0), what=measured, unit="points", ended=ended),
    ]
    if sum(map(bool, diversity.values())) > 1:
        what, unit = "diversity over the pool", "different images per class"
        told.append(verdict(diversity, what=what, unit=unit, digits=2, ended=ended))
    return told


def counted_seeds(results: Results, arms: int, failed: Collection[int] = ()) -> list[int]:
    """The seeds that all arms have done, those that `failed` apart: means and conclusions are over these."""
    going = [arm for arm in range(arms) if arm not in failed]
    return complete([(*key, result.done and not result.failure) for key, result in results.items()], going)


def means(results: Results, arms: int, seeds: Sequence[int]) -> list[dict[str, list[float]]]:
    """JSON-ready: for each arm and measure [mean, lowest, highest] of the results of these seeds."""
    found: list[dict[str, list[float]]] = []
    for arm in range(arms):
        given = [result for (number, seed), result in results.items() if number == arm and seed in seeds]
        values = {name: [getattr(one, name) for one in given if getattr(one, name) is not None] for name in MEASURES}
        found.append({name: [round(n, 4) for n in (fmean(v), min(v), max(v))] for name, v in values.items() if v})
    return found


def rows(results: Results) -> list[dict[str, Any]]:
    """JSON-ready, in the order they were begun."""
    return [{name: _short(value) for name, value in asdict(result).items()} for result in results.values()]


def _short(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value
