"""Plans the rounds of all arms for equal time, measured where the arms will run."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nayer.cluster.jobs import Executor, PartMade
from nayer.compare.calibration import Plan, check_budget, read_plan, rounds_for, write_plan
from nayer.compare.experiments import Arm
from nayer.compare.run_jobs import RunOptions, pace_of
from nayer.compare.study import Cell
from nayer.config import Config
from nayer.errors import ConfigError

PLAN = "plan.json"
LONGEST_TIMED = 100.0  # s: the pace for a larger budget is measured as for this one, in a tenth of its seconds


def calibrated(
    arms: Sequence[Arm], seconds: float, options: RunOptions, executor: Executor, folder: Path
) -> tuple[Arm, ...]:
    """The arms with the rounds that take `seconds`, from the folder or measured now.

    A resumed comparison runs the same rounds. Raises ConfigError for a folder with another plan.
    """
    check_budget(seconds)
    rounds = _planned([[(arm, seconds)] for arm in arms], seconds, options, executor, folder)
    return tuple(_with_rounds(arm, rounds) for arm in arms)


def planned_arms(arms: Sequence[Arm], seconds: float, options: RunOptions, executor: Executor) -> list[Arm]:
    """The arms with the rounds that take `seconds`, measured now."""
    check_budget(seconds)
    rounds = {
        arms[number].title: rounds_for(arms[number].config, seconds, *pace)
        for number, pace in paces(arms, seconds, options, executor)
    }
    return [_with_rounds(arm, rounds) for arm in arms]


def planned_cells(cells: Sequence[Cell], options: RunOptions, executor: Executor, folder: Path) -> tuple[Cell, ...]:
    """The cells of a study with the rounds that take their budgets in seconds, from the folder or measured now.

    The pace of a method with a teacher is measured once, for all its budgets.
    """
    groups = defaultdict(list)
    for cell in cells:
        groups[cell.method, cell.teacher].append((cell.arm, cell.budget))
    timed = min(LONGEST_TIMED, max(cell.budget for cell in cells))
    rounds = _planned(list(groups.values()), timed, options, executor, folder)
    return tuple(replace(cell, arm=_with_rounds(cell.arm, rounds)) for cell in cells)


def _planned(
    groups: Sequence[Sequence[tuple[Arm, float]]], timed: float, options: RunOptions, executor: Executor, folder: Path
) -> dict[str, int]:
    """The rounds by the title of the arm. A group is one config with several budgets; its pace is measured once."""
    path = folder / PLAN
    plan = _earlier(Plan(timed, options.clock, options.threads, {}), path)
    missing = [group for group in groups if any(arm.title not in plan.rounds for arm, _ in group)]
    for number, pace in paces([group[0][0] for group in missing], timed, options, executor):
        for arm, seconds in missing[number]:
            plan.rounds.setdefault(arm.title, rounds_for(arm.config, seconds, *pace))
        write_plan(plan, path)
    return plan.rounds


def paces(
    arms: Sequence[Arm], seconds: float, options: RunOptions, executor: Executor
) -> Iterator[tuple[int, tuple[float, float]]]:
    """The pace of each arm on the executor, with its number in the list; see `calibration.pace`."""
    for event in executor.run([pace_of(arm, seconds, options, executor) for arm in arms]):
        if isinstance(event, PartMade):
            yield event.number, event.part.content


def _with_rounds(arm: Arm, rounds: Mapping[str, int]) -> Arm:
    return replace(arm, config=Config.parse({"rounds": rounds[arm.title]}, arm.config))


def _earlier(plan: Plan, path: Path) -> Plan:
    """The plan in the folder, or the new one. Raises ConfigError if it was measured in another way."""
    if not os.path.lexists(path):
        return plan
    kept = read_plan(path)
    if replace(kept, rounds={}) != plan:
        raise ConfigError(f"out={str(path.parent)!r} has a plan for another calibration; use another folder.")
    return kept
