"""The pictures of a comparison by matplotlib: curves and a grid of samples. It is imported only to draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from nayer.analysis.seed_range import over_seeds
from nayer.common.figures import file_of, literal
from nayer.compare.outcome import Outcome
from nayer.compare.tables import CLOCK_NAMES
from nayer.types import Images

# Okabe and Ito's colors, safe for color-blind people. After eight arms the colors repeat with another line style.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
STROKES = ("-", "--", ":", "-.")
CLASSES_SHOWN = 20
WIDTH = 10.0  # inches
LONGEST = 60.0  # inches, at 120 pixels each


def curves(outcomes: Sequence[Outcome]) -> bytes:
    """Accuracy against the run's own seconds, as PNG: one color for each arm, thin lines for seeds, thick for means."""
    arms = list(dict.fromkeys(one.arm for one in outcomes))
    figure = Figure(figsize=(WIDTH, max(5.0, 0.25 * len(arms))), dpi=120, layout="constrained")
    axes = figure.subplots()
    for place, arm in enumerate(arms):
        color, stroke = COLORS[place % len(COLORS)], STROKES[place // len(COLORS) % len(STROKES)]
        seeds = [np.array(one.curve) for one in outcomes if one.arm == arm and one.curve]
        for curve in seeds if len(seeds) > 1 else []:
            axes.plot(curve[:, 0], 100 * curve[:, 1], color=color, linestyle=stroke, linewidth=0.8, alpha=0.45)
        seconds, accuracy, *_ = over_seeds([(curve[:, 0], curve[:, 1]) for curve in seeds])
        axes.plot(seconds, 100 * accuracy, color=color, linestyle=stroke, linewidth=2, label=literal(arm))
    teachers = [one.teacher_accuracy for one in outcomes if one.teacher_accuracy is not None]
    if teachers:
        axes.axhline(100 * max(teachers), color="#3c4656", linestyle=(0, (1, 3)), linewidth=1, label="teacher")
    measured = next((one.measured_on for one in outcomes if one.measured_on), "")
    seconds_of = CLOCK_NAMES[outcomes[0].clock]
    axes.set(xlabel=f"seconds of the run ({seconds_of})", ylabel=literal(f"% on {measured}"), ylim=(0, 100))
    axes.grid(alpha=0.25)
    figure.legend(loc="outside right upper")
    return file_of(figure)


def samples(grids: Mapping[str, Images], classes: Sequence[str]) -> bytes:
    """The latest samples of each arm, one arm below the other, as PNG: (rows, columns, c), one column for each class.

    If there are more than CLASSES_SHOWN classes, it shows the first ones.
    """
    k, named = max(1, len(classes)), [literal(name) for name in classes[:CLASSES_SHOWN]]
    shown = {arm: grid[:, : grid.shape[1] * max(1, len(named)) // k] for arm, grid in grids.items() if grid.size}
    heights = [WIDTH * grid.shape[0] / grid.shape[1] + 0.9 for grid in shown.values()] or [1.0]  # inches, with names
    figure = Figure(figsize=(WIDTH, min(sum(heights), LONGEST)), dpi=120, layout="constrained")
    rows = figure.subplots(len(heights), squeeze=False)[:, 0]
    for axes, (arm, grid) in zip(rows, shown.items(), strict=False):  # one empty row if there are no samples
        pixels = grid[:, :, 0] if grid.shape[2] == 1 else grid
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        column = grid.shape[1] / max(1, len(named))
        places = [column * (place + 0.5) for place in range(len(named))]
        axes.set_xticks(places, named, rotation=30, ha="right", rotation_mode="anchor", fontsize=8)
        axes.set(title=literal(arm if k == len(named) else f"{arm}: {len(named)} of {k} classes"), yticks=[])
    return file_of(figure)


def budget_curves(
    lines: Mapping[str, Sequence[tuple[float, float, float]]], *, budget: str, measured: str, teacher: float | None
) -> dict[str, bytes]:
    """Final accuracy against the budget, as files by suffix: for each method points (budget, mean, deviation).

    Values are shares. `teacher` is its accuracy; None if it is not known.
    """
    figure = Figure(figsize=(6.0, 4.0), dpi=200, layout="constrained")
    axes = figure.subplots()
    for place, (method, points) in enumerate(lines.items()):
        budgets, means, deviations = (np.array(column) for column in zip(*points, strict=True))
        color, stroke = COLORS[place % len(COLORS)], STROKES[place // len(COLORS) % len(STROKES)]
        axes.errorbar(
            budgets,
            100 * means,
            yerr=100 * deviations,
            color=color,
            linestyle=stroke,
            marker="o",
            markersize=3,
            capsize=2,
            label=literal(method),
        )
    if teacher is not None:
        axes.axhline(100 * teacher, color="#3c4656", linestyle=(0, (1, 3)), linewidth=1, label="teacher")
    axes.set(xlabel=budget, ylabel=literal(f"% on {measured}"), ylim=(0, 100), xscale="log")
    ticks = sorted({point[0] for points in lines.values() for point in points})
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8)
    return _files(figure)


def step_curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, measured: str, target: float
) -> dict[str, bytes]:
    """A measure of the generator against its steps, as files by suffix: for each method, steps and values."""
    figure = Figure(figsize=(6.0, 4.0), dpi=200, layout="constrained")
    axes = figure.subplots()
    for place, (method, (steps, values)) in enumerate(lines.items()):
        color, stroke = COLORS[place % len(COLORS)], STROKES[place // len(COLORS) % len(STROKES)]
        axes.plot(steps, values, color=color, linestyle=stroke, label=literal(method))
    axes.axhline(target, color="#3c4656", linestyle=(0, (1, 3)), linewidth=1, label="target")
    axes.set(xlabel="generator step within a round", ylabel=measured)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8)
    return _files(figure)


def _files(figure: Figure) -> dict[str, bytes]:
    """The figure as PNG and PDF. Without a date in it, equal figures are equal files."""
    pdf = file_of(figure, "pdf", metadata={"CreationDate": None})
    return {".png": file_of(figure), ".pdf": pdf}
