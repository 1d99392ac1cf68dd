"""The tables of a study, from its outcomes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median, stdev

from nayer.analysis.significance import verdict
from nayer.common.spreadsheets import as_cell
from nayer.compare.outcome import Outcome
from nayer.compare.result_table import ResultTable
from nayer.compare.study import Cell, Study
from nayer.compare.study_results import Bounds, Reach, reach, steps_to
from nayer.compare.titles import slug

NONE = "–"
OutcomesByArm = Mapping[str, Sequence[Outcome]]  # by the title of the arm
SCORES = {
    "label_accuracy": "label accuracy",
    "named": "second opinion",
    "within.samples": "within a round",
    "across.samples": "across rounds",
    "pool.samples": "over the pool",
    "rank.samples": "effective rank",
}


def result_tables(study: Study, by_arm: OutcomesByArm) -> list[ResultTable]:
    """All tables that the outcomes can fill, teacher by teacher."""
    tables: list[ResultTable] = []
    for teacher in study.teachers:
        end = f"-{slug(teacher)}" if len(study.teachers) > 1 else ""
        tables += [_accuracy(study, by_arm, teacher, end)]
        tables += [*_needed(study, by_arm, teacher, end), *_factors(study, by_arm, teacher, end)]
        tables += [_images(study, by_arm, teacher, end), *_steps(study, by_arm, teacher, end)]
        tables += _fresh(study, by_arm, teacher, end)
    return [table for table in tables if table.rows]


def verdicts(study: Study, by_arm: OutcomesByArm) -> list[str]:
    """For each teacher, one sentence on the final accuracies with the largest budget."""
    sentences = []
    for teacher in study.teachers:
        by_method: dict[str, dict[int, float]] = {}
        for cell in _cells(study, teacher, budget=study.budgets[-1]):
            by_method[cell.method] = {
                one.seed: 100 * one.accuracy for one in by_arm.get(cell.arm.title, []) if one.accuracy is not None
            }
        if sum(bool(one) for one in by_method.values()) > 1:
            sentence = verdict(by_method, what="accuracy", unit="points")
            sentences.append(f"{teacher}, {study.budget_text(study.budgets[-1])}: {sentence}")
    return sentences


def runs_csv(study: Study, by_arm: OutcomesByArm) -> str:
    """One row for each run: what it was, what it reached, and what it cost."""
    names = ["method", "teacher", "budget", "seed", "accuracy", "teacher_accuracy", "agreement", "at_start", "rounds"]
    names += ["generator_steps", "seconds", "seconds.synthesis", "seconds.student", "seconds.measuring", "clock"]
    names += ["threads", "gigaflops", "machine", *SCORES, *(f"steps_to_{name}" for name in study.steps_to), "fresh"]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*names, "failure"], lineterminator="\n")
    writer.writeheader()
    for cell in study.cells:
        for one in by_arm.get(cell.arm.title, []):
            row: dict[str, object] = {name: getattr(one, name) for name in [*names, "failure"] if hasattr(one, name)}
            row |= {"method": as_cell(cell.method), "teacher": as_cell(cell.teacher), "failure": as_cell(one.failure)}
            row["budget"] = study.budget_text(cell.budget)
            phases = ("measuring",) if one.synthesis_seconds is None else ("synthesis", "student", "measuring")
            row |= {f"seconds.{phase}": one.spent.get(phase) for phase in phases}
            row |= {name: one.scores.get(name) for name in SCORES}
            row |= {f"steps_to_{name}": steps_to(one, name, target) for name, target in study.steps_to.items()}
            writer.writerow(row | {"fresh": " ".join(f"{value:g}" for value in one.fresh)})
    return text.getvalue()


def _accuracy(study: Study, by_arm: OutcomesByArm, teacher: str, end: str) -> ResultTable:
    outcomes = [one for cell in _cells(study, teacher) for one in by_arm.get(cell.arm.title, [])]
    known = [one.teacher_accuracy for one in outcomes if one.teacher_accuracy is not None]
    what = "accuracy" if known else "agreement with the teacher"
    rows = [
        [method, *(_percent(_finals(by_arm, cell)) for cell in _cells(study, teacher, method=method))]
        for method in study.methods
    ]
    whose = f" The teacher has {100 * fmean(known):.1f} %." if known else ""
    return ResultTable(
        f"accuracy{end}",
        f"{teacher}: final {what} in percent by budget",
        ("method", *(study.budget_text(budget) for budget in study.budgets)),
        rows if outcomes else [],
        f"Mean ± standard deviation over {len(study.seeds)} seeds. Each budget is a separate run.{whose}"
        f"{_budget_note(study)}",
    )


def _budget_note(study: Study) -> str:
    if study.kind == "seconds":
        clock = {"wall": "wall time", "cpu": "processor time"}[study.clock]
        return f" Budgets are seconds of {clock} (threads: {study.threads}), for which rounds were planned."
    return " G: 10⁹ multiply-adds." if study.kind == "work" else ""


def _needed(study: Study, by_arm: OutcomesByArm, teacher: str, end: str) -> list[ResultTable]:
    """The smallest budgets that reach the levels, with total and synthesis-only seconds."""
    if not _has_teacher_accuracy(study, by_arm, teacher):
        return []
    columns = ["method"]
    for level in study.levels:
        columns += [f"{level:.0%}: budget", f"{level:.0%}: total s", f"{level:.0%}: synthesis s"]
    rows = []
    for method in study.methods:
        cells = [method]
        for level in study.levels:
            one = _reach(study, by_arm, teacher, method, level)
            cells += [_budget(study, one), _seconds(one.total), _seconds(one.synthesis)]
        rows.append(cells)
    note = (
        "The smallest budget whose final mean accuracy reaches this share of the teacher's. Seconds: of the runs with "
        "that budget, without measurements. > marks a target that no budget reached. At once: `overlap` makes images "
        "and teaches the student in the same seconds."
    )
    return [
        ResultTable(f"budgets{end}", f"{teacher}: the smallest budget that reaches a level", tuple(columns), rows, note)
    ]


def _factors(study: Study, by_arm: OutcomesByArm, teacher: str, end: str) -> list[ResultTable]:
    """How many times the seconds of the reference each method needs, as bounds."""
    if len(study.methods) < 2 or not _has_teacher_accuracy(study, by_arm, teacher):
        return []
    columns = ["method"]
    for level in study.levels:
        columns += [f"{level:.0%}: total", f"{level:.0%}: synthesis"]
    own = {level: _reach(study, by_arm, teacher, study.reference, level) for level in study.levels}
    rows = []
    for method in study.methods:
        if method == study.reference:
            continue
        cells = [method]
        for level in study.levels:
            one = _reach(study, by_arm, teacher, method, level)
            cells += [_factor(one.total, own[level].total), _factor(one.synthesis, own[level].synthesis)]
        rows.append(cells)
    note = (
        f"Seconds of the method divided by seconds of {study.reference}, as bounds: the needed time lies between two "
        "neighboring budgets. A target that no budget reached has no upper bound."
    )
    return [
        ResultTable(f"factors{end}", f"{teacher}: times the seconds of {study.reference}", tuple(columns), rows, note)
    ]


def _images(study: Study, by_arm: OutcomesByArm, teacher: str, end: str) -> ResultTable:
    """The scores of the images with the largest budget."""
    rows = []
    for cell in _cells(study, teacher, budget=study.budgets[-1]):
        outcomes = [one for one in by_arm.get(cell.arm.title, []) if not one.failure]
        values = {name: [v for one in outcomes if (v := one.scores.get(name)) is not None] for name in SCORES}
        if any(values.values()):
            shares = ("label_accuracy", "named")
            rows.append([cell.method, *(_percent(v) if name in shares else _spread(v) for name, v in values.items())])
    return ResultTable(
        f"images{end}",
        f"{teacher}: the images with a budget of {study.budget_text(study.budgets[-1])}",
        ("method", *SCORES.values()),
        rows,
        "Label accuracy and second opinion: percent of the images that the teacher, or a judge without a part in the "
        "run, assigns to the wanted class. Diversity in the teacher's features: Vendi score of a class within a round "
        "and over the pool, cosine distance to the nearest image of an earlier round, effective rank of a round.",
    )


def _steps(study: Study, by_arm: OutcomesByArm, teacher: str, end: str) -> list[ResultTable]:
    """The generator steps to each target."""
    if not study.steps_to:
        return []
    targets = [(name, target) for name, target in study.steps_to.items()]
    several = len(study.budgets) > 1
    rows = []
    for cell in _cells(study, teacher):
        outcomes = [one for one in by_arm.get(cell.arm.title, []) if one.by_step]
        if outcomes:
            title = f"{cell.method}, {study.budget_text(cell.budget)}" if several else cell.method
            rows.append([title, *(_median_steps(outcomes, name, target) for name, target in targets)])
    names = {"ce": "cross-entropy of at most", "label_accuracy": "label accuracy of at least"}
    columns = tuple(f"steps to a {names[name]} {target:g}" for name, target in targets)
    note = (
        "Median over the seeds, in brackets the number of seeds that reached it. A run's value after a step is the "
        "mean over all its rounds."
    )
    return [ResultTable(f"steps{end}", f"{teacher}: generator steps to a target", ("method", *columns), rows, note)]


def _fresh(study: Study, by_arm: OutcomesByArm, teacher: str, end: str) -> list[ResultTable]:
    """The accuracies of new students that learned from the final pools."""
    if study.fresh is None:
        return []
    rows = []
    for method in study.methods:
        cells = _cells(study, teacher, method=method)
        values = [[value for one in by_arm.get(cell.arm.title, []) for value in one.fresh] for cell in cells]
        if any(values):
            rows.append([method, *map(_percent, values)])
    students, phases = len(study.fresh.seeds), study.fresh.phases
    return [
        ResultTable(
            f"fresh-students{end}",
            f"{teacher}: accuracy in percent of new students on the final pools",
            ("method", *(study.budget_text(budget) for budget in study.budgets)),
            rows,
            f"{students} new students for each pool, {phases} training phases each. Mean ± standard deviation over all "
            "students of all seeds.",
        )
    ]


def _cells(study: Study, teacher: str, *, method: str | None = None, budget: float | None = None) -> list[Cell]:
    """The cells of a teacher, from the smallest budget to the largest."""
    chosen = [cell for cell in study.cells if cell.teacher == teacher]
    chosen = [cell for cell in chosen if method in (None, cell.method) and budget in (None, cell.budget)]
    return sorted(chosen, key=lambda cell: cell.budget)


def _reach(study: Study, by_arm: OutcomesByArm, teacher: str, method: str, level: float) -> Reach:
    return reach([(cell, by_arm.get(cell.arm.title, [])) for cell in _cells(study, teacher, method=method)], level)


def _has_teacher_accuracy(study: Study, by_arm: OutcomesByArm, teacher: str) -> bool:
    outcomes = (one for cell in _cells(study, teacher) for one in by_arm.get(cell.arm.title, []))
    return any(one.teacher_accuracy is not None for one in outcomes)


def _finals(by_arm: OutcomesByArm, cell: Cell) -> list[float]:
    return [one.accuracy for one in by_arm.get(cell.arm.title, []) if one.accuracy is not None]


def _percent(shares: Iterable[float]) -> str:
    return _spread([100 * share for share in shares], digits=1)


def _spread(values: Sequence[float], digits: int = 2) -> str:
    if not values:
        return NONE
    return f"{fmean(values):.{digits}f}" + (f" ± {stdev(values):.{digits}f}" if len(values) > 1 else "")


def _budget(study: Study, one: Reach) -> str:
    return f"> {study.budget_text(study.budgets[-1])}" if one.budget is None else study.budget_text(one.budget)


def _seconds(bounds: Bounds | None) -> str:
    if bounds is None:
        return "at once"
    return f"> {bounds.low:.1f}" if bounds.high == math.inf else f"{bounds.high:.1f}"


def _factor(one: Bounds | None, reference: Bounds | None) -> str:
    if one is None or reference is None:
        return NONE
    bounds = one.over(reference)
    if bounds.high == math.inf:
        return f"> {bounds.low:.2f}" if bounds.low else NONE
    return f"{bounds.low:.2f} to {bounds.high:.2f}" if bounds.low else f"≤ {bounds.high:.2f}"


def _median_steps(outcomes: Sequence[Outcome], name: str, target: float) -> str:
    reached = [steps for one in outcomes if (steps := steps_to(one, name, target)) is not None]
    if 2 * len(reached) <= len(outcomes):
        return f"> {max(one.by_step['step'][-1] for one in outcomes):.0f} ({len(reached)} of {len(outcomes)})"
    everything = [steps if (steps := steps_to(one, name, target)) is not None else math.inf for one in outcomes]
    return f"{median(everything):.0f} ({len(reached)} of {len(outcomes)})"
