"""The numbers of the benchmark: seconds to levels, plain and normalized; parts of a round; the first picture."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from statistics import median

from nayer.compare.outcome import CLOCKS, LEVELS, Outcome, convolution_rate
from nayer.compare.profile import profile
from nayer.config import Config
from nayer.events import GeneratorStep
from nayer.runs.run import open_run

PER = 100.0  # GFLOPS that normalized seconds assume


def levels(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """For one preset's runs: accuracy, and plain and normalized seconds to each share of the teacher's accuracy.

    Gives medians over the seeds, with the lowest and the highest value of those that reached the share. A seed that
    never reached it counts as longer than all others; the median is None if at most half reached it.
    """
    found: dict[str, float | None] = {}
    accuracies = [outcome.accuracy for outcome in outcomes if outcome.accuracy is not None]
    found["accuracy"] = sum(accuracies) / len(accuracies) if accuracies else None
    found["accuracy_lowest"], found["accuracy_highest"] = min(accuracies, default=None), max(accuracies, default=None)
    for level in LEVELS:
        reached = [
            (s, s * outcome.gigaflops / PER)
            for outcome in outcomes
            if (s := outcome.seconds_to(level)) is not None and s > 0.0  # a level that holds at the start takes no time
        ]
        name = f"to_{level:.0%}".rstrip("%")
        at_start = sum(outcome.seconds_to(level) == 0.0 for outcome in outcomes)
        never = [(math.inf, math.inf)] * (len(outcomes) - len(reached) - at_start)
        enough = 2 * len(reached) > len(outcomes)
        ranked = [*[(0.0, 0.0)] * at_start, *reached, *never]
        found[f"{name}_seconds"] = median(s for s, _ in ranked) if enough else None
        found[f"{name}_normalized"] = median(n for _, n in ranked) if enough else None
        found[f"{name}_normalized_lowest"] = min((n for _, n in reached), default=None)
        found[f"{name}_normalized_highest"] = max((n for _, n in reached), default=None)
        found[f"{name}_runs"] = float(len(reached))
        found[f"{name}_met_at_start"] = float(at_start)
    return found


def profiled(config: Config, clock: str) -> dict[str, float | None]:
    """Time, operations and rate for each part of a round, and the whole round against the rate of a large convolution.

    `share_of_products_alone`: the share of a round's time that its convolutions and matrix products take alone.
    """
    now = CLOCKS[clock]
    before = convolution_rate(now)
    found = profile(config, now=now)
    rate = (before + convolution_rate(now)) / 2
    facts: dict[str, float | None] = {"round_seconds": found.seconds}
    for name, part in found.parts.items():
        facts[f"share_{name}"] = part.seconds / found.seconds
        if part.gigaflop:
            facts[f"gigaflops_{name}"] = part.gigaflops
    return facts | {
        "gigaflops": found.gigaflops,
        "share_of_convolution_rate": found.gigaflops / rate,
        "share_of_products_alone": found.products_seconds / found.seconds,
    }


def first_picture(config: Config) -> float | None:
    """Seconds from a run's config to the first step's preview."""
    began = time.monotonic()
    for event in open_run(config).events():
        if isinstance(event, GeneratorStep):
            return time.monotonic() - began
    return None
