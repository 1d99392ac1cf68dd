"""The outcomes of a comparison as a table: a row an arm, with mean and spread over its seeds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from statistics import fmean, median, stdev

from nayer.compare import LEVELS, SCALES, SIDES, Outcome
from nayer.verdict import verdict

NONE = "–"


def markdown(outcomes: Sequence[Outcome]) -> str:
    """A table, the verdict on accuracy and on the pool's diversity, and what the seconds are worth."""
    arms = list(dict.fromkeys(one.arm for one in outcomes))
    names = ["arm", "seeds", "accuracy", *(f"s to {level:.0%}" for level in LEVELS), "rounds", "label hit"]
    names += ["within a round", "across rounds", "over the pool"]
    lines = ["| " + " | ".join(names) + " |", "| --- |" + " ---: |" * (len(names) - 1)]
    by_arm = [[one for one in outcomes if one.arm == arm] for arm in arms]
    lines += ["| " + " | ".join(_cells(arm, group)) + " |" for arm, group in zip(arms, by_arm, strict=True)]
    rates = [one.gigaflops for one in outcomes]
    lines += ["", verdict_on_accuracy(outcomes), "", verdict_on_pool(outcomes), ""]
    lines.append(
        f"Accuracy: per cent at the end of {_budget(outcomes[0])}, mean ± standard deviation. Seconds: median; in "
        f"brackets how many seeds got there. Diversity: Vendi score within a round and over the pool, cosine distance "
        f"to the nearest image of an earlier round across rounds; in brackets noise and real test images in the "
        f"samples' place. Machine: {median(rates):.0f} GFLOPS ({min(rates):.0f} to {max(rates):.0f}), so a second "
        f"is {median(rates) / 100:.2f} normalised seconds."
    )
    lines += [f"Failed: {one.arm}, seed {one.seed}: {one.failure}" for one in outcomes if one.failure]
    return "\n".join(lines) + "\n"


def verdict_on_accuracy(outcomes: Iterable[Outcome]) -> str:
    """In percentage points of accuracy at the end, or of agreement where there are no test images."""
    return verdict(
        _by_arm((one.arm, one.seed, _percent(one.accuracy)) for one in outcomes), what="accuracy", unit="points"
    )


def verdict_on_pool(outcomes: Iterable[Outcome]) -> str:
    """In different images a class, over the pool."""
    found = _by_arm((one.arm, one.seed, one.diversity.get("pool.samples")) for one in outcomes)
    return verdict(found, what="diversity over the pool", unit="different images a class", digits=2)


def table(outcomes: Sequence[Outcome]) -> str:
    """CSV, a row a run; shares from 0 to 1, times in seconds, empty where nothing was measured."""
    scores = ["label_hit", "labels_kept", "duplicates", *(f"{scale}.{side}" for scale in SCALES for side in SIDES)]
    levels = [f"seconds_to_{level:.0%}".removesuffix("%") for level in LEVELS]
    names = ["arm", "seed", "accuracy", "teacher_accuracy", "measured_on", *levels, "seconds", "gigaflops", "rounds"]
    names += ["generator_steps", *scores, "failure"]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for one in outcomes:
        row = {name: getattr(one, name) for name in names if hasattr(one, name)}
        row |= {name: one.seconds_to(level) for name, level in zip(levels, LEVELS, strict=True)}
        writer.writerow(row | {name: one.diversity.get(name) for name in scores})
    return text.getvalue()


def _cells(arm: str, outcomes: Sequence[Outcome]) -> list[str]:
    accuracies = [100 * one.accuracy for one in outcomes if one.accuracy is not None]
    spread = f" ± {stdev(accuracies):.1f}" if len(accuracies) > 1 else ""
    cells = [arm, str(len(outcomes)), f"{fmean(accuracies):.1f}{spread}" if accuracies else NONE]
    cells += [_seconds([one.seconds_to(level) for one in outcomes]) for level in LEVELS]
    cells.append(f"{fmean(one.rounds for one in outcomes):.0f}")
    hit = _mean(outcomes, "label_hit")
    cells.append(NONE if hit is None else f"{100 * hit:.0f} %")
    return cells + [_scale(outcomes, scale) for scale in SCALES]


def _budget(one: Outcome) -> str:
    kind = "s of the processor's time" if one.clock == "cpu" else "s"
    return f"{one.config['seconds']:g} {kind}" if one.config["seconds"] else f"{one.config['rounds']} rounds"


def _seconds(reached: Sequence[float | None]) -> str:
    known = [seconds for seconds in reached if seconds is not None]
    if not known:
        return NONE
    return f"{median(known):.0f}" + ("" if len(known) == len(reached) else f" ({len(known)} of {len(reached)})")


def _scale(outcomes: Sequence[Outcome], scale: str) -> str:
    samples, noise, real = (_mean(outcomes, f"{scale}.{side}") for side in SIDES)
    if samples is None:
        return NONE
    return f"{samples:.2f} ({', '.join(NONE if value is None else f'{value:.2f}' for value in (noise, real))})"


def _mean(outcomes: Sequence[Outcome], name: str) -> float | None:
    known = [value for one in outcomes if (value := one.diversity.get(name)) is not None]
    return fmean(known) if known else None


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _by_arm(numbers: Iterable[tuple[str, int, float | None]]) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for arm, seed, value in numbers:
        if value is not None:
            found.setdefault(arm, {})[seed] = value
    return found
