"""The pictures of a comparison: curves and a grid of samples, by matplotlib; imported where they are drawn only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO

from matplotlib.figure import Figure

from nayer.arrays import Images
from nayer.compare import Outcome

# Okabe and Ito's colours, safe for colour-blind eyes.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")


def curves(outcomes: Sequence[Outcome]) -> bytes:
    """Accuracy against the run's own seconds, a colour an arm, a thin line a seed: PNG."""
    figure = Figure(figsize=(9, 5), dpi=120, layout="constrained")
    axes = figure.subplots()
    arms = list(dict.fromkeys(one.arm for one in outcomes))
    for place, arm in enumerate(arms):
        for one in (one for one in outcomes if one.arm == arm and one.curve):
            seconds, accuracies = zip(*one.curve, strict=True)
            axes.plot(seconds, [100 * a for a in accuracies], color=COLOURS[place % len(COLOURS)], linewidth=1.1)
        axes.plot([], [], color=COLOURS[place % len(COLOURS)], linewidth=3, label=arm)
    teachers = [one.teacher_accuracy for one in outcomes if one.teacher_accuracy is not None]
    if teachers:
        axes.axhline(100 * max(teachers), color="#3c4656", linestyle="--", linewidth=1, label="teacher")
    measured = next((one.measured_on for one in outcomes if one.measured_on), "")
    axes.set(xlabel="seconds of the run", ylabel=f"% on {measured}", ylim=(0, 100))
    axes.grid(alpha=0.25)
    axes.legend(loc="lower right")
    return _png(figure)


def samples(grids: Mapping[str, Images], classes: Sequence[str]) -> bytes:
    """The latest samples of each arm, (rows, columns, c) with a column a class, one below the other: PNG."""
    shown = {arm: grid for arm, grid in grids.items() if grid.size}
    figure = Figure(figsize=(10, 2.4 * max(1, len(shown))), dpi=120, layout="constrained")
    rows = figure.subplots(max(1, len(shown)), squeeze=False)[:, 0]
    for axes, (arm, grid) in zip(rows, shown.items(), strict=False):  # one empty row where there is nothing to show
        pixels = grid[:, :, 0] if grid.shape[2] == 1 else grid
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set(title=arm, yticks=[])
        width = grid.shape[1] / max(1, len(classes))
        axes.set_xticks([width * (place + 0.5) for place in range(len(classes))], classes if len(classes) <= 20 else [])
    return _png(figure)


def _png(figure: Figure) -> bytes:
    out = BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
