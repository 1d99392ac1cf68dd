"""What the outcomes of a study say: final accuracies, the smallest budget that suffices, and factors between methods.

A target that no budget reaches is censored: the needed time has a lower bound, the largest budget, and no upper bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from nayer.compare.outcome import Outcome
from nayer.compare.study import Cell

# The steps after which a measure counts as reached: a loss falls to its target, a share rises to it.
FALLS = {"ce": True, "label_accuracy": False}


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number that lies above `low` and is at most `high`; `high` is infinite if it is censored."""

    low: float
    high: float

    def over(self, other: Bounds) -> Bounds:
        """The bounds of this number divided by the other one."""
        low = 0.0 if other.high == math.inf else self.low / other.high
        high = math.inf if self.high == math.inf or other.low == 0.0 else self.high / other.low
        return Bounds(low, high)


@dataclass(frozen=True, slots=True)
class Reach:
    """The smallest budget whose final mean accuracy reaches a level; None if no budget does.

    `total` and `synthesis` bound the needed seconds: above those of the next smaller budget, up to those of this one.
    `synthesis` is None if no clock can separate it from the student's learning.
    """

    budget: float | None
    total: Bounds
    synthesis: Bounds | None


def reach(cells: Sequence[tuple[Cell, Sequence[Outcome]]], level: float) -> Reach:
    """For one method and teacher: `cells` from the smallest budget to the largest, with their outcomes.

    A budget reaches the level if all its runs ended and their mean final accuracy is at least `level` times the
    teacher's. Each budget is a separate run with its own schedule.
    """
    budget: float | None = None
    total, synthesis = Bounds(0.0, math.inf), Bounds(0.0, math.inf)
    separate = True
    for cell, outcomes in cells:
        if not outcomes:
            continue
        alone = [one.synthesis_seconds for one in outcomes]
        known = [one for one in alone if one is not None]
        separate = separate and len(known) == len(alone)
        spent, making = fmean(one.seconds for one in outcomes), fmean(known) if known else math.inf
        if _reached(outcomes, level):
            budget, total, synthesis = cell.budget, Bounds(total.low, spent), Bounds(synthesis.low, making)
            break
        total, synthesis = Bounds(spent, math.inf), Bounds(making, math.inf)
    return Reach(budget, total, synthesis if separate else None)


def _reached(outcomes: Sequence[Outcome], level: float) -> bool:
    accuracies = [one.accuracy for one in outcomes if one.accuracy is not None]
    teachers = [one.teacher_accuracy for one in outcomes if one.teacher_accuracy is not None]
    if not teachers or len(accuracies) < len(outcomes):
        return False
    return fmean(accuracies) >= level * fmean(teachers)


def steps_to(outcome: Outcome, measure: str, target: float) -> float | None:
    """The first generator step after which the mean over all rounds has reached the target; None if none has."""
    values = outcome.by_step.get(measure, [])
    reached = (value <= target if FALLS[measure] else value >= target for value in values)
    return next((step for step, there in zip(outcome.by_step.get("step", []), reached, strict=True) if there), None)
