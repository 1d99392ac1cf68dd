"""A lab as one finished picture: every measure by work, the mean of the seeds as a line and their range as a band."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from app.run_state.seed_curves import MEASURES
from nayer.analysis.seed_range import over_seeds
from nayer.common.figures import file_of, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Paul Tol's vibrant colors: anyone can tell them apart, and none is a class's.
ARM_COLORS = ("#0077BB", "#EE7733", "#009988", "#CC3311", "#EE3377", "#777777")
TITLES = {
    "accuracy": "accuracy (%)",
    "label_accuracy": "label accuracy (%)",
    "named": "second opinion (%)",
    "within": "different images within a round",
    "across": "distance to earlier rounds",
    "pool": "different images over the pool",
}
SHARES = ("accuracy", "label_accuracy", "named")
UNITS = {"work": "work of the arm, 10⁹ multiply-adds", "seconds": "seconds of computation of the arm"}


def lab_sheet(lab: Mapping[str, Any]) -> bytes:
    """A PNG of 1400 × 950 pixels; `lab` is what `app.runs.lab_export.whole_lab` gives."""
    from matplotlib.figure import Figure  # about a second at its first import; never pyplot, which is not for threads

    figure = Figure(figsize=(14, 9.5), dpi=100, layout="constrained")
    for axes, name in zip(figure.subplots(2, 3).flat, MEASURES, strict=True):
        _measure(axes, lab, name)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    seeds = lab["counted"] or lab["seeds"]
    what = f"mean and range of the seeds {', '.join(map(str, seeds))}" if len(seeds) > 1 else f"seed {seeds[0]}"
    figure.suptitle(literal(f"{lab['title']} · teacher {lab['teacher']} · {lab['budget']} per arm · {what}"))
    figure.legend(handles, labels, loc="outside lower left", ncols=len(labels) or 1)
    conclusion = literal("\n".join(textwrap.wrap(" ".join(lab["conclusion"]), 170)))
    figure.supxlabel(conclusion, fontsize=10, ha="center")
    return file_of(figure)


def _measure(axes: Axes, lab: Mapping[str, Any], name: str) -> None:
    scale = 100.0 if name in SHARES else 1.0
    axes.set(title=TITLES[name], xlabel=UNITS[lab["by"]])
    axes.grid(alpha=0.25)
    if name in SHARES:
        axes.set(ylim=(0, 100))
    x_place, y_place = lab["columns"].index(lab["by"]), lab["columns"].index(name)
    for arm, title in enumerate(lab["arms"]):
        seeds = [
            _line(one["rounds"], x_place, y_place)
            for one in lab["curves"]
            if one["arm"] == arm and (one["seed"] in lab["counted"] or not lab["counted"])
        ]
        x, mean, low, high = over_seeds(seeds)
        color = ARM_COLORS[arm % len(ARM_COLORS)]
        axes.plot(x, scale * mean, color=color, linewidth=2, label=literal(title["title"]))
        if len(seeds) > 1:
            axes.fill_between(x, scale * low, scale * high, color=color, alpha=0.18, linewidth=0)
    if name == "accuracy" and lab["teacher_accuracy"] is not None:
        axes.axhline(100 * lab["teacher_accuracy"], color="#3c4656", linestyle="--", linewidth=1, label="teacher")


def _line(rounds: Sequence[Sequence[float | None]], x: int, y: int) -> tuple[Any, Any]:
    points = [(row[x], row[y]) for row in rounds if row[y] is not None]
    found = np.array(points, dtype=np.float64).reshape(-1, 2)
    return found[:, 0], found[:, 1]
