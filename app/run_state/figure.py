"""A run as one finished picture, to keep or to print. It uses matplotlib, so no live route waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from app.run_state.embedding_map import Dots
from app.run_state.model import Series, View
from app.support.images import strip
from nayer.common.figures import file_of, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colors and three more, in the order the page's script has them.
CLASS_COLORS = (
    *("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2"),
    *("#D55E00", "#CC79A7", "#A0C878", "#783CF0", "#DC003C"),
)
STUDENT, TEACHER, MARK = "#0067b0", "#3c4656", "#b8bec8"
SHOWN_ROWS = 6  # newest rounds of samples
SHOWN_COLUMNS = 20  # classes; more would be too small to see


def sheet(view: View) -> bytes:
    """The run so far as a PNG of 1400 × 1000 pixels: accuracy, losses, the map of the embeddings and the samples."""
    from matplotlib.figure import Figure  # about a second at its first import; never pyplot, which is not for threads

    figure = Figure(figsize=(14, 10), dpi=100, layout="constrained")
    accuracy, losses, places, samples = figure.subplot_mosaic(
        [["accuracy", "losses", "map"], ["samples", "samples", "samples"]], height_ratios=[1, 1.25]
    ).values()
    _accuracy(accuracy, view)
    _losses(losses, view)
    _map(places, view)
    _samples(samples, view)
    if view.started is not None:
        config = view.started.config
        title = (
            f"{view.started.teacher} → {view.started.student} without training data · {view.started.latent} · "
            f"round {view.rounds_done} of {view.started.rounds} · {view.seconds:.0f} s · seed {config['seed']}"
        )
        figure.suptitle(literal(title))
    return file_of(figure)


def _accuracy(axes: Axes, view: View) -> None:
    on_tests = view.started is None or view.started.measured_on == "test images"
    axes.set(title="The student", xlabel="round", ylabel="%", ylim=(0, 100))
    for _, round_, what in view.redraws:
        height = 0.06 if what == "generator" else 0.025
        axes.axvline(round_, ymax=height, color=MARK, linewidth=1.5 if what == "generator" else 0.7)
    _line(axes, view.measures, 1, 100.0, color=TEACHER, linestyle=":", label="agreement with the teacher")
    if on_tests:
        _line(axes, view.measures, 0, 100.0, color=STUDENT, linewidth=2, label="accuracy on real test images")
    if view.teacher_accuracy is not None:
        axes.axhline(100 * view.teacher_accuracy, color=TEACHER, linestyle="--", label="teacher")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right", fontsize="small")


def _losses(axes: Axes, view: View) -> None:
    axes.set(title="Losses of the generator", xlabel="round")
    for place, (name, color) in enumerate((("cross-entropy", 5), ("statistics", 2), ("adversarial", 6))):
        _line(axes, view.losses, place, 1.0, color=CLASS_COLORS[color], linewidth=0.9, label=name)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper right", fontsize="small")


def _map(axes: Axes, view: View) -> None:
    axes.set(title="Label embeddings (PCA)", xticks=[], yticks=[])
    if view.atlas is None or view.started is None:
        return
    if view.samples is not None:
        _dots(axes, view.samples.dots, s=8, alpha=0.6)
    if view.outputs is not None:
        _dots(axes, view.outputs.dots, s=36, facecolors="none")
    anchors = view.atlas.anchors()
    _dots(axes, anchors, s=80)
    if len(anchors) <= SHOWN_COLUMNS:
        for x, y, label in anchors:
            name = literal(view.started.classes[label])
            axes.annotate(name, (x, y), (6, 4), textcoords="offset points", fontsize="small")


def _samples(axes: Axes, view: View) -> None:
    axes.set(title="Newest samples, one class per column", xticks=[], yticks=[])
    rows = view.rows[-SHOWN_ROWS:][::-1]
    if not rows or view.started is None:
        return
    columns = min(len(view.started.classes), SHOWN_COLUMNS)
    picture = np.concatenate([strip(row.images[:columns]) for row in rows])  # (rows·h, columns·w[, 3])
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="equal")
    side = rows[0].images.shape[-1]
    names = [literal(name) for name in view.started.classes[:columns]]
    axes.set_xticks([(i + 0.5) * side for i in range(columns)], names, rotation=30, ha="right")
    axes.set_yticks([(i + 0.5) * side for i in range(len(rows))], [f"round {row.round + 1}" for row in rows])


def _line(axes: Axes, series: Series, place: int, scale: float, **style: Any) -> None:
    points = [(p.x, scale * value) for p in series.points if (value := p.values[place]) is not None]
    if points:
        axes.plot(*zip(*points, strict=True), **style)


def _dots(axes: Axes, dots: Dots, **style: Any) -> None:
    if dots:
        x, y, labels = zip(*dots, strict=True)
        colors = [CLASS_COLORS[label % len(CLASS_COLORS)] for label in labels]
        if style.get("facecolors") == "none":
            axes.scatter(x, y, edgecolors=colors, **style)
        else:
            axes.scatter(x, y, color=colors, **style)
