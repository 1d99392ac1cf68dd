"""A study as a file of YAML: methods × teachers × budgets × seeds, and the runs that follow from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nayer.common.yaml_file import read_yaml
from nayer.compare.calibration import MOST, check_budget
from nayer.compare.experiments import Arm, Variation, arms_of, grid
from nayer.compare.outcome import CLOCKS, STEP_MEASURES
from nayer.compare.outcome_folder import slug
from nayer.compare.sittings import Fresh
from nayer.config import settings
from nayer.errors import ConfigError, excerpt
from nayer.exports.config_file import check_keys, preset_and_changes

INSTEAD = "docs/cluster.md shows a study that works"
KEYS = (
    "title",
    "question",
    "methods",
    "vary",
    "teachers",
    "settings",
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
MOST_RUNS = 100_000
MOST_PHASES = 10_000
MOST_THREADS = 256


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
    fresh: Fresh | None = None

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

    def told(self, budget: float) -> str:
        """A budget with its unit, for example `40 s`."""
        return told(budget, self.kind)


def told(budget: float, kind: str) -> str:
    """A budget of that kind with its unit."""
    return f"{budget:g} {UNITS[kind]}"


def read_study(path: Path) -> Study:
    """The study in a file. Raises ConfigError in one sentence with the name, the value and what works."""
    return study_in(read_yaml(path, "study", instead=INSTEAD), f"study={excerpt(path, 200)!r}")


def study_in(values: Mapping[str, Any], where: str) -> Study:
    """The study in the mapping of a file. An error begins with `where`."""
    check_keys(values, KEYS, "a key of a study", where)
    try:
        return _study(values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _study(values: Mapping[str, Any]) -> Study:
    kind, budgets = _budgets(_mapping(values, "budgets"))
    teachers = _texts(values, "teachers")
    variations = _methods(values)
    shared = preset_and_changes(_mapping(values, "settings", {}), "settings")[1]
    for name in ("preset", "teacher", "seed", "rounds", "work", "seconds"):
        if name in _mapping(values, "settings", {}):
            raise ConfigError(
                f"settings: {name!r} cannot be shared; it belongs to methods, teachers, seeds or budgets."
            )
    cells = tuple(
        Cell(variation.title, teacher, budget, _arm(variation, {**shared, "teacher": teacher}, kind, budget))
        for budget in budgets
        for teacher in teachers
        for variation in variations
    )
    _check_titles([cell.arm.title for cell in cells])
    seeds = _seeds(values, "seeds")
    if len(cells) * len(seeds) > MOST_RUNS:
        raise ConfigError(f"a study must have at most {MOST_RUNS:,} runs; {len(cells) * len(seeds):,} were given.")
    clock, threads = _clock_and_threads(values)
    reference = _text(values, "reference", variations[0].title)
    if reference not in [one.title for one in variations]:
        raise ConfigError(f"reference must be one of the methods; {excerpt(reference)!r} was given.")
    return Study(
        title=_text(values, "title", "Study"),
        question=_text(values, "question", ""),
        kind=kind,
        cells=cells,
        seeds=seeds,
        clock=clock,
        threads=threads,
        reference=reference,
        levels=tuple(_numbers(values, "levels", [0.8, 0.9], 0.0, 1.0)),
        steps_to=_targets(values),
        fresh=_fresh(values),
    )


def _arm(variation: Variation, shared: Mapping[str, object], kind: str, budget: float) -> Arm:
    """The arm for a budget. For seconds, the number of rounds is planned later."""
    limit = {} if kind == "seconds" else {kind: int(budget) if kind == "rounds" else budget}
    try:
        (made,) = arms_of([variation], {**shared, **limit})
    except ConfigError as error:
        raise ConfigError(f"{variation.title}: {error}") from None
    return Arm(f"{variation.title} · {shared['teacher']} · {told(budget, kind)}", made.config)


def _methods(values: Mapping[str, Any]) -> tuple[Variation, ...]:
    found = []
    for title, given in _mapping(values, "methods").items():
        if not title.strip() or not title.isprintable() or len(title) > 60:
            raise ConfigError(f"methods: a name must have 1 to 60 characters; {excerpt(title)!r} was given.")
        if not isinstance(given, dict | None):
            raise ConfigError(f"{title} must be a mapping such as {{preset: nayer}}; {_shown(given)} was given.")
        preset, changes = preset_and_changes(given or {}, title)
        found.append(Variation(title, preset, changes))
    variations = tuple(found)
    for name, options in _mapping(values, "vary", {}).items():
        if name not in [one.name for one in settings()]:
            raise ConfigError(f"vary: {excerpt(name)!r} is not a setting; `python -m nayer list settings` shows all.")
        if not isinstance(options, list) or not options:
            raise ConfigError(f"vary: {name} must be a list of values; {_shown(options)} was given.")
        variations = grid(variations, name, options)
    return variations


def _budgets(given: Mapping[str, Any]) -> tuple[str, list[float]]:
    if len(given) != 1 or not given.keys() <= UNITS.keys():
        raise ConfigError(f"budgets must have one of {', '.join(UNITS)}; {', '.join(given) or 'nothing'} was given.")
    ((kind, _),) = given.items()
    most = {"seconds": MOST, "work": 1e9, "rounds": 100_000}[kind]
    amounts = _numbers(given, kind, None, 0.0, most)
    for amount in amounts:
        if kind == "seconds":
            check_budget(amount)
        if not amount or (kind == "rounds" and amount != int(amount)):
            raise ConfigError(f"budgets: {kind} must be above 0, and rounds whole numbers; {amount:g} was given.")
    return kind, sorted(amounts)


def _clock_and_threads(values: Mapping[str, Any]) -> tuple[str, int]:
    clock, threads = _text(values, "clock", "wall"), values.get("threads", 1)
    if clock not in CLOCKS:
        raise ConfigError(f"clock must be one of {', '.join(CLOCKS)}; {excerpt(clock)!r} was given.")
    if type(threads) is not int or not 1 <= threads <= MOST_THREADS:
        raise ConfigError(f"threads must be a whole number from 1 to {MOST_THREADS}; {_shown(threads)} was given.")
    if clock == "cpu" and threads > 1:
        raise ConfigError("clock='cpu' adds up the time of all threads, even while they wait; use threads: 1 with it.")
    return clock, threads


def _targets(values: Mapping[str, Any]) -> dict[str, float]:
    given = _mapping(values, "steps_to", {})
    check_keys(given, STEP_MEASURES, "a measure of a generator step", "steps_to")
    return {name: _numbers({name: [value]}, name, None, 0.0, math.inf)[0] for name, value in given.items()}


def _fresh(values: Mapping[str, Any]) -> Fresh | None:
    given = _mapping(values, "fresh_students", {})
    if not given:
        return None
    check_keys(given, ("seeds", "phases"), "a key of fresh_students", "fresh_students")
    phases = given.get("phases", 0)
    if type(phases) is not int or not 1 <= phases <= MOST_PHASES:
        raise ConfigError(f"phases must be a whole number from 1 to {MOST_PHASES:,}; {_shown(phases)} was given.")
    return Fresh(_seeds(given, "seeds"), phases)


def _check_titles(titles: Sequence[str]) -> None:
    slugs = [slug(title) for title in titles]
    twice = next((title for title, one in zip(titles, slugs, strict=True) if slugs.count(one) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice!r} is given twice; name each method, teacher and budget once.")


# --- values of a file ------------------------------------------------------------------------------------------------


def _mapping(values: Mapping[str, Any], name: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
    given = values.get(name, default)
    if not isinstance(given, dict) or (default is None and not given):
        raise ConfigError(f"{name} must be a mapping of names to values; {_shown(given)} was given.")
    return given


def _text(values: Mapping[str, Any], name: str, default: str) -> str:
    given = values.get(name, default)
    if not isinstance(given, str) or len(given) > 1000 or not given.isprintable():
        raise ConfigError(f"{name} must be a text on one line; {_shown(given)} was given.")
    return given


def _texts(values: Mapping[str, Any], name: str) -> list[str]:
    given = values.get(name)
    if not isinstance(given, list) or not given or not all(isinstance(one, str) for one in given):
        raise ConfigError(f"{name} must be a list of names; {_shown(given)} was given.")
    return given


def _seeds(values: Mapping[str, Any], name: str) -> tuple[int, ...]:
    given = values.get(name, [0, 1, 2])
    most = next(one.high for one in settings() if one.name == "seed") or 0
    right = isinstance(given, list) and given and all(type(one) is int and 0 <= one <= most for one in given)
    if not right or len(set(given)) < len(given):
        raise ConfigError(f"{name} must be a list of different whole numbers from 0; {_shown(given)} was given.")
    return tuple(given)


def _numbers(values: Mapping[str, Any], name: str, default: list[float] | None, low: float, high: float) -> list[float]:
    given = values.get(name, default)
    right = isinstance(given, list) and given and all(type(one) in (int, float) and low <= one <= high for one in given)
    if not right or len(set(given or [])) < len(given or []):
        bounds = f"from {low:g} to {high:,g}" if math.isfinite(high) else f"from {low:g}"
        raise ConfigError(f"{name} must be a list of different numbers {bounds}; {_shown(given)} was given.")
    return [float(one) for one in given or []]


def _shown(value: object) -> str:
    return repr(excerpt(str(value), 60)) if value is not None else "nothing"
