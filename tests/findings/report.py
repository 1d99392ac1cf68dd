"""Tables and pictures of docs/findings.md from the numbers in docs/findings: `python -m tests.findings.report`."""

from __future__ import annotations

import csv
import io
import math
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, median, stdev

from matplotlib.figure import Figure
from PIL import Image

from nayer.analysis.significance import difference
from tests.findings.kept import Row, rows
from tests.support.repository import ROOT

PAGE, DATA = ROOT / "docs" / "findings.md", ROOT / "docs" / "findings"
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
REDRAWN: dict[str, tuple[str, float]] = {  # of experiment C: a number of a row → its title and its factor
    "vendi.judge": ("different images of a class", 1),
    "accuracy": ("student of the run (%)", 100),
    "whole": ("new student, whole pool (%)", 100),
    "confirmed": ("new student, 1,500 confirmed (%)", 100),
}
POLICIES = {1: "every round", 10: "every 10 rounds", 0: "never"}
CONTROLS = ("untrained generator", "noise")
LEVELS = (0.6, 0.8)  # shares of the teacher's accuracy
NONE = "–"


def page(text: str) -> str:
    """The page with its tables as the numbers say."""
    for name, table in TABLES.items():
        start, end = f"<!-- {name}: written by python -m tests.findings.report -->", f"<!-- end of {name} -->"
        made = f"{start}\n{table()}\n{end}"
        text, found = re.subn(
            f"{re.escape(start)}.*?{re.escape(end)}", lambda _, made=made: made, text, flags=re.DOTALL
        )
        assert found == 1, f"docs/findings.md has {found} places for the table {name}"
    return text


# --- A: the factor ---------------------------------------------------------------------------------------------------


def runs() -> list[dict[str, str]]:
    """The runs of the study, as its tables/runs.csv has them."""
    path = DATA / "factor.csv"
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8")))) if path.is_file() else []


def factor_table() -> str:
    """Each method: accuracy by budget, the smallest budget for each level, and the factor of NAYER with its bounds."""
    found = _by_method()
    budgets = _budgets()
    teacher = float(runs()[0]["teacher_accuracy"])
    head = [
        "method",
        *(f"{budget:g} s" for budget in budgets),
        f"NAYER's lead, {budgets[-1]:g} s",
        *(f"to {level:.0%}" for level in LEVELS),
        *(f"× NAYER's seconds, {level:.0%}" for level in LEVELS),
        "synthesis",
    ]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    ours = {level: reach(found["NAYER"], budgets, level * teacher) for level in LEVELS}
    for method, cells in found.items():
        line = [method, *(_percent([float(one["accuracy"]) for one in cells.get(b, [])]) for b in budgets)]
        line.append(NONE if method == "NAYER" else lead(found["NAYER"][budgets[-1]], cells[budgets[-1]]))
        reached = {level: reach(cells, budgets, level * teacher) for level in LEVELS}
        line += [_reached(reached[level]) for level in LEVELS]
        line += [NONE if method == "NAYER" else factor(reached[level], ours[level]) for level in LEVELS]
        line.append(_synthesis(cells, reached[max(LEVELS)]))
        lines.append(line)
    return _table(lines)


def reach(
    cells: Mapping[float, Sequence[dict[str, str]]], budgets: Sequence[float], wanted: float
) -> tuple[float, float]:
    """Bounds of the planned seconds until the final mean accuracy is `wanted`: above the one, at most the other."""
    below = 0.0
    for budget in budgets:
        outcomes = cells.get(budget, [])
        if not outcomes:
            continue
        if fmean(float(one["accuracy"]) for one in outcomes) >= wanted:
            return below, budget
        below = budget
    return below, math.inf


def lead(ours: Sequence[dict[str, str]], theirs: Sequence[dict[str, str]]) -> str:
    """NAYER's lead in points of accuracy: the mean over the seeds, and its 95 % interval for this pair alone."""
    pair = [sorted(group, key=lambda one: int(one["seed"])) for group in (ours, theirs)]
    told = difference(*([100 * float(one["accuracy"]) for one in group] for group in pair))
    return "{} ({} to {})".format(*(f"{value:+.1f}" for value in (told.mean, told.low, told.high))).replace("-", "−")


def factor(theirs: tuple[float, float], ours: tuple[float, float]) -> str:
    """How many times the seconds of NAYER a method needs: bounds, or one bound."""
    low = theirs[0] / ours[1] if ours[1] < math.inf else 0.0
    high = theirs[1] / ours[0] if ours[0] else math.inf
    if not low and high == math.inf:
        return NONE
    if high == math.inf:
        return f"> {low:.1f}" if low else NONE
    return f"{low:.1f} to {high:.1f}" if low else f"< {high:.1f}"


def draw_factor() -> Figure:
    """Final accuracy against processor seconds, a line for each method, seeds as dots."""
    figure = Figure(figsize=(8, 4.2), dpi=100, layout="constrained")
    axes = figure.subplots()
    for number, (method, cells) in enumerate(_by_method().items()):
        points = sorted(
            (fmean(float(one["seconds"]) for one in group), 100 * fmean(float(one["accuracy"]) for one in group))
            for group in cells.values()
        )
        style = {"color": "#777777", "linestyle": ":"} if method in CONTROLS else {}
        if method.startswith("NAYER"):
            style = {"color": "#000000", "linewidth": 2.5 if method == "NAYER" else 1.0}
        axes.plot(*zip(*points, strict=True), marker="osD^v"[number % 5], markersize=4, label=method, **style)
    teacher = 100 * float(runs()[0]["teacher_accuracy"])
    for level in LEVELS:
        axes.axhline(level * teacher, color="#bbbbbb", linewidth=0.8)
    axes.set(xscale="log", xlabel="processor seconds of the whole run", ylabel="final accuracy, %", ylim=(0, 100))
    axes.set_xticks(_budgets(), [f"{budget:g}" for budget in _budgets()])
    axes.minorticks_off()
    figure.legend(loc="outside right center", fontsize=8)
    return figure


def _by_method() -> dict[str, dict[float, list[dict[str, str]]]]:
    found: dict[str, dict[float, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for one in runs():
        if not one["failure"]:
            found[one["method"]][float(one["budget"].split()[0])].append(one)
    return {method: dict(cells) for method, cells in found.items()}


def _budgets() -> list[float]:
    return sorted({budget for cells in _by_method().values() for budget in cells})


def _reached(bounds: tuple[float, float]) -> str:
    low, high = bounds
    return f"> {low:.0f} s" if high == math.inf else f"{high:.0f} s"


def _synthesis(cells: Mapping[float, Sequence[dict[str, str]]], bounds: tuple[float, float]) -> str:
    """The share of synthesis in the seconds of the smallest budget that reaches the level, or of the largest one."""
    chosen = cells.get(bounds[1]) or list(cells.values())[-1]
    share = fmean(float(one["seconds.synthesis"]) / float(one["seconds"]) for one in chosen)
    return f"{100 * share:.0f} %"


# --- B: steps to a fixed loss ----------------------------------------------------------------------------------------


def steps_table(teacher: str) -> str:
    """Each input: the median of the steps to each goal, or the share of rounds that got there."""
    found = _by(rows(DATA / f"steps-{teacher}.jsonl"), "source")
    goals = list(next(iter(found.values()))[0]["to"])
    shown = [goal for goal in goals if any(_steps(group, goal) is not None for group in found.values())]
    lines = [
        ["input", "seeds", *map(_goal, shown), "cross-entropy at the last step"],
        ["---", *["---:"] * (len(shown) + 2)],
    ]
    for source, group in found.items():
        last = [row["ce"][-1] for row in group]
        cells = [_told(group, goal) for goal in shown]
        lines.append([_source(source), str(len(group)), *cells, _spread(last, 2)])
    return _table(lines)


def draw_steps() -> Figure:
    """The mean cross-entropy of a round by step, a line for each input."""
    figure = Figure(figsize=(8, 3.6), dpi=100, layout="constrained")
    teachers = [teacher for teacher in ("digits", "emoji100") if (DATA / f"steps-{teacher}.jsonl").is_file()]
    for axes, teacher in zip(figure.subplots(1, len(teachers), squeeze=False)[0], teachers, strict=True):
        for color, (source, group) in zip(
            COLORS, _by(rows(DATA / f"steps-{teacher}.jsonl"), "source").items(), strict=False
        ):
            curve = [fmean(values) for values in zip(*(row["ce"] for row in group), strict=True)]
            axes.plot(
                range(1, len(curve) + 1), curve, color=color, label=_source(source) if axes is figure.axes[0] else None
            )
        axes.set(title=teacher, yscale="log", xlabel="generator step of a round", ylabel="cross-entropy, nats")
        axes.grid(alpha=0.25)
    figure.legend(loc="outside right center", fontsize=8)
    return figure


def _steps(group: Sequence[Row], goal: str) -> float | None:
    """The median over all rounds; a round that never got there counts as longer than all others."""
    told = [math.inf if one is None else one for row in group for one in row["to"][goal]]
    middle = median(told)
    return None if middle == math.inf else middle


def _told(group: Sequence[Row], goal: str) -> str:
    middle, rounds = _steps(group, goal), [one for row in group for one in row["to"][goal]]
    if middle is None:
        got = sum(one is not None for one in rounds) / len(rounds)
        return f"> {len(group[0]['ce'])} ({got:.0%})"
    return f"{middle:g}"


def _goal(goal: str) -> str:
    kind, value = goal.split()
    return f"to cross-entropy {value}" if kind == "ce" else f"to {value} of the labels"


def _source(source: str) -> str:
    return "LTE" if source == "lte" else source


# --- C: re-draws -----------------------------------------------------------------------------------------------------


def redraws_table() -> str:
    """Each length of run and policy: images, their diversity, and the accuracy of new students on the final pool."""
    head = ["rounds", "noisy layer re-drawn", "seeds", "label accuracy", *(name for name, _ in REDRAWN.values())]
    lines = [head, ["---:", "---", *["---:"] * (len(head) - 2)]]
    for (rounds, every), group in _redrawn().items():
        cells = [str(rounds), POLICIES[every], str(len(group)), f"{100 * fmean(row['hit'] for row in group):.0f} %"]
        cells += [_spread([scale * row[name] for row in group], _digits(scale)) for name, (_, scale) in REDRAWN.items()]
        lines.append(cells)
    for end in rows(DATA / "ends-digits.jsonl"):
        for name, what in (("real", "real test images"), ("noise", "pure noise")):
            lines.append(["", what, "", "", f"{end[name]:.2f}", *[""] * (len(REDRAWN) - 1)])
    return _table(lines)


def redraws_differences() -> str:
    """Each pair of policies: the mean difference over the seeds, and its 95 % interval for this pair alone."""
    found = _redrawn()
    lines = [
        ["rounds", "difference", *(name for name, _ in REDRAWN.values())],
        ["---:", "---", *["---:"] * len(REDRAWN)],
    ]
    for rounds in sorted({rounds for rounds, _ in found}):
        for first, second in ((1, 0), (10, 0), (10, 1)):
            pair = [sorted(found[rounds, every], key=lambda row: row["seed"]) for every in (first, second)]
            cells = [str(rounds), f"{POLICIES[first]} − {POLICIES[second]}"]
            for name, (_, scale) in REDRAWN.items():
                told = difference(*([scale * row[name] for row in group] for group in pair))
                numbers = (f"{value:+.{_digits(scale)}f}" for value in (told.mean, told.low, told.high))
                cells.append("{} ({} to {})".format(*numbers).replace("-", "−"))
            lines.append(cells)
    return _table(lines)


def draw_redraws() -> Figure:
    """Diversity and accuracy of each policy in the longest runs, a dot for each seed and a line at the mean."""
    found = _redrawn()
    longest = max(rounds for rounds, _ in found)
    figure = Figure(figsize=(8, 3.0), dpi=100, layout="constrained")
    chosen = [every for rounds, every in found if rounds == longest]
    for axes, (name, (title, scale)) in zip(figure.subplots(1, len(REDRAWN)), REDRAWN.items(), strict=True):
        for place, (color, every) in enumerate(zip(COLORS, chosen, strict=False)):
            values = [scale * row[name] for row in found[longest, every]]
            axes.plot([place] * len(values), values, "o", color=color, alpha=0.6)
            axes.plot([place - 0.25, place + 0.25], [fmean(values)] * 2, color=color, linewidth=2.5)
        axes.set_xticks(range(len(chosen)), [f"{every or 'never'}" for every in chosen], fontsize=8)
        axes.set_xlabel("rounds between two re-draws", fontsize=8)
        axes.set_title(title.replace(", ", ",\n"), fontsize=9)
        axes.grid(axis="y", alpha=0.25)
    return figure


def _redrawn() -> dict[tuple[int, int], list[Row]]:
    """The rows of each length of run and policy."""
    groups: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in rows(DATA / "redraws-digits.jsonl"):
        groups[row["rounds"], row["every"]].append(row)
    return dict(groups)


def _digits(scale: float) -> int:
    return 1 if scale == 100 else 2


# --- helpers ---------------------------------------------------------------------------------------------------------


def _by(found: Iterable[Row], name: str) -> dict[object, list[Row]]:
    groups: dict[object, list[Row]] = defaultdict(list)
    for row in found:
        groups[row[name]].append(row)
    return dict(groups)


def _percent(shares: Sequence[float]) -> str:
    return _spread([100 * share for share in shares], 1) if shares else NONE


def _spread(values: Sequence[float], digits: int) -> str:
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{fmean(values):.{digits}f}{spread}"


def _table(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


TABLES: dict[str, Callable[[], str]] = {
    "factor": factor_table,
    "steps": lambda: steps_table("digits"),
    "steps-emoji100": lambda: steps_table("emoji100"),
    "redraws": redraws_table,
    "redraws-differences": redraws_differences,
}
PICTURES: dict[str, Callable[[], Figure]] = {"factor": draw_factor, "steps": draw_steps, "redraws": draw_redraws}


def main() -> None:
    """Writes the tables into the page, and the pictures beside the numbers."""
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
    for name, draw in PICTURES.items():
        content = io.BytesIO()
        draw().savefig(content, format="png")
        Image.open(content).convert("RGB").save(DATA / f"{name}.webp", quality=80, method=6)
    sys.stdout.write("docs/findings.md and its pictures are written.\n")


if __name__ == "__main__":
    main()
