"""A study as a file of YAML: methods × teachers × budgets × seeds, and the runs that follow from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nayer.common.yaml_file import read_yaml
from nayer.compare.calibration import MAX_SECONDS
from nayer.compare.experiments import Arm, Variation, arms_of
from nayer.compare.file_keys import (
    choice_in,
    errors_in,
    list_in,
    mapping_in,
    number_in,
    quoted,
    seeds_in,
    variations_in,
    varied_in,
)
from nayer.compare.outcome import CLOCKS, STEP_MEASURES
from nayer.compare.run_jobs import FreshStudents
from nayer.compare.titles import check_amount, check_titles
from nayer.earlier_versions import RENAMED_FIELDS, with_present_names
from nayer.errors import ConfigError, excerpt
from nayer.exports.config_file import check_keys, preset_and_changes
from nayer.runs.thread_budget import MAX_THREADS

INSTEAD = "docs/studies.md shows a study that works"
KEYS = (
    "title",
    "question",
    "methods",
    "vary",
    "teachers",
    "shared",
    "budgets",
    "seeds",
    "clock",
    "threads",
    "reference",
    "levels",
    "steps_to",
    "fresh_students",
)
UNITS = {"seconds": "s", "work": "G", "rounds": "rounds"}  # of budgets; G is 10⁹ multiply-adds
MAX_BUDGETS = {"seconds": MAX_SECONDS, "work": 1e9, "rounds": 100_000.0}  # the largest budgets
MOST_PHASES = 10_000
MOST_FRESH = 100  # new students for each pool
_NOT_SHARED = {
    "preset": "methods",
    "teacher": "teachers",
    "seed": "seeds",
    "rounds": "budgets",
    "work": "budgets",
    "seconds": "budgets",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One method with one teacher and one budget: an arm, which runs once for each seed."""

    method: str
    teacher: str
    budget: float
    arm: Arm


@dataclass(frozen=True)
class Study:
    """A question and the runs that answer it."""

    title: str
    question: str
    kind: str  # of the budgets: one of UNITS
    cells: tuple[Cell, ...]
    seeds: tuple[int, ...]
    clock: str = "wall"
    threads: int = 1
    reference: str = ""  # the method that the others are compared with
    levels: tuple[float, ...] = (0.8, 0.9)  # shares of the teacher's accuracy
    steps_to: Mapping[str, float] = field(default_factory=dict)  # targets of a generator step, see STEP_MEASURES
    fresh: FreshStudents | None = None

    @property
    def methods(self) -> list[str]:
        """The names of the methods, in order."""
        return list(dict.fromkeys(cell.method for cell in self.cells))

    @property
    def teachers(self) -> list[str]:
        """The names of the teachers, in order."""
        return list(dict.fromkeys(cell.teacher for cell in self.cells))

    @property
    def budgets(self) -> list[float]:
        """The budgets, from the smallest to the largest."""
        return sorted({cell.budget for cell in self.cells})

    def budget_text(self, budget: float) -> str:
        """A budget with its unit, for example `40 s`."""
        return budget_text(budget, self.kind)


def budget_text(budget: float, kind: str) -> str:
    """A budget of that kind with its unit."""
    return f"{budget:g} {UNITS[kind]}"


def read_study(path: Path) -> Study:
    """The study in a file. Raises ConfigError in one sentence with the name, the value and what works."""
    return study_in(read_yaml(path, "study", instead=INSTEAD), f"study={excerpt(path, 200)!r}")


def study_in(values: Mapping[str, Any], where: str) -> Study:
    """The study in the mapping of a file. An error begins with `where`."""
    check_keys(values, KEYS, "a key of a study", where)
    with errors_in(where):
        return _study(values, where)


def _study(values: Mapping[str, Any], where: str) -> Study:
    variations, shared = _methods(values, where), _shared(values, where)
    kind, budgets = _budgets(values, where)
    teachers = list_in({"teachers": [], **values}, "teachers", where)
    seeds = seeds_in(values, where)
    check_amount("a study", (len(variations), len(teachers), len(budgets)), len(seeds))
    cells = tuple(
        Cell(variation.title, str(teacher), budget, _arm(variation, {**shared, "teacher": teacher}, kind, budget))
        for budget in budgets
        for teacher in teachers
        for variation in variations
    )
    check_titles([cell.arm.title for cell in cells], "name each method, teacher and budget once")
    clock, threads = choice_in(values, "clock", where, tuple(CLOCKS)), values.get("threads", 1)
    if type(threads) is not int or not 1 <= threads <= MAX_THREADS:
        raise ConfigError(f"threads must be a whole number from 1 to {MAX_THREADS}; {quoted(threads)} was given.")
    if clock == "cpu" and threads > 1:
        raise ConfigError("clock='cpu' adds up the time of all threads, even while they wait; use threads: 1 with it.")
    return Study(
        title=_text(values, "title", "Study"),
        question=_text(values, "question", ""),
        kind=kind,
        cells=cells,
        seeds=seeds,
        clock=clock,
        threads=threads,
        reference=choice_in(values, "reference", where, [one.title for one in variations]),
        levels=tuple(_numbers({"levels": [0.8, 0.9], **values}, "levels", where, 1.0)),
        steps_to=_targets(values, where),
        fresh=_fresh(values, where),
    )


def _shared(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    shared = mapping_in(values, "shared", where)
    for name, instead in _NOT_SHARED.items():
        if name in shared:
            raise ConfigError(f"shared: {name}={quoted(shared[name])} cannot be shared; use {instead}.")
    return preset_and_changes(shared, f"{where}, shared")[1]


def _arm(variation: Variation, shared: Mapping[str, object], kind: str, budget: float) -> Arm:
    """The arm for a budget. For seconds, the number of rounds is planned later."""
    limit = {} if kind == "seconds" else {kind: int(budget) if kind == "rounds" else budget}
    try:
        (made,) = arms_of([variation], {**shared, **limit})
    except ConfigError as error:
        raise ConfigError(f"{variation.title}: {error}") from None
    return Arm(f"{variation.title} · {shared['teacher']} · {budget_text(budget, kind)}", made.config)


def _methods(values: Mapping[str, Any], where: str) -> tuple[Variation, ...]:
    found = variations_in(values, "methods", "method", where, _check_own)
    if not found:
        raise ConfigError("methods is missing; give each method a line such as `NAYER: {preset: nayer}`.")
    return varied_in(values, found, where, _check_own)


def _check_own(names: Iterable[str], inside: str) -> None:
    for name in names:
        if name in _NOT_SHARED:
            raise ConfigError(f"{inside}: {name} cannot be a setting of a method; use {_NOT_SHARED[name]}.")


def _budgets(values: Mapping[str, Any], where: str) -> tuple[str, list[float]]:
    given = mapping_in(values, "budgets", where)
    if len(given) != 1 or not given.keys() <= MAX_BUDGETS.keys():
        raise ConfigError(
            f"budgets must have one of {', '.join(MAX_BUDGETS)}; {', '.join(given) or 'nothing'} was given."
        )
    ((kind, _),) = given.items()
    amounts = _numbers(given, kind, f"{where}, budgets", MAX_BUDGETS[kind])
    if kind == "rounds" and any(amount != int(amount) for amount in amounts):
        raise ConfigError(f"rounds must be whole numbers; {quoted(given[kind])} was given.")
    return kind, sorted(amounts)


def _targets(values: Mapping[str, Any], where: str) -> dict[str, float]:
    given = with_present_names(mapping_in(values, "steps_to", where), RENAMED_FIELDS)
    check_keys(given, STEP_MEASURES, "a measure of a generator step", f"{where}, steps_to")
    return {name: _numbers({name: [value]}, name, where, math.inf)[0] for name, value in given.items()}


def _fresh(values: Mapping[str, Any], where: str) -> FreshStudents | None:
    given, inside = mapping_in(values, "fresh_students", where), f"{where}, fresh_students"
    if not given:
        return None
    check_keys(given, ("seeds", "phases"), "a key of fresh_students", inside)
    phases = int(number_in({"phases": 0, **given}, "phases", inside, int, MOST_PHASES))
    if not phases:
        raise ConfigError(f"{inside}: phases must be a whole number from 1 to {MOST_PHASES:,}; 0 was given.")
    seeds = seeds_in(given, inside)
    if len(seeds) > MOST_FRESH:
        raise ConfigError(f"{inside}: seeds must be at most {MOST_FRESH} numbers; {len(seeds):,} were given.")
    return FreshStudents(seeds, phases)


def _text(values: Mapping[str, Any], name: str, default: str) -> str:
    given = values.get(name, default)
    if not isinstance(given, str) or len(given) > 1000 or not given.isprintable():
        raise ConfigError(f"{name} must be a text on one line; {quoted(given)} was given.")
    return given


def _numbers(values: Mapping[str, Any], name: str, where: str, high: float) -> list[float]:
    given = list_in(values, name, where)
    sound = all(type(one) in (int, float) and 0 < one <= high and one < math.inf for one in given)
    if not sound or len(set(given)) < len(given):
        bounds = f"above 0 and up to {high:,g}" if math.isfinite(high) else "above 0"
        raise ConfigError(f"{name} must be a list of different numbers {bounds}; {quoted(given)} was given.")
    return [float(one) for one in given]
