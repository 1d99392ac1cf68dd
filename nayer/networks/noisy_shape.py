"""The number and the width of a batch's noisy layers, which decide their cost. Needs no torch."""

from __future__ import annotations


def group_size(routing: str, classes: int, batch: int) -> int:
    """How many consecutive images of a batch share one noisy layer: all classes, one image, or the whole batch."""
    return {"k-to-1": classes, "1-to-1": 1, "single": batch}[routing]


def layers(routing: str, classes: int, batch: int) -> int:
    """How many noisy layers a batch needs."""
    return -(-batch // group_size(routing, classes, batch))


def outputs(width: int, classes: int) -> int:
    """The outputs of a noisy layer: `width`; if that is 0, 25 per class, but at least 64 and at most 1000.

    One layer's outputs must differ clearly between its classes (docs/speed.md). 1000 is the published width.
    """
    return width or min(1000, max(64, 25 * classes))
