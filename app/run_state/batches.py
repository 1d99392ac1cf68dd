"""The images behind the points of a chart: every shown round's batch as one picture, within bounds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from app.support.images import jpeg
from nayer.events import DiversityMeasured, RoundSynthesized, SecondOpinion
from nayer.types import Doubles

KEPT = 60  # rounds an arm, 2 to 7 MB; then every second of the older half goes


@dataclass(slots=True)
class Batch:
    """A round's images, class by class in one strip, and the facts about each image."""

    round: int
    number: int  # of its picture: a round comes again with the next seed
    picture: bytes  # JPEG, (h, n·w)
    labels: list[int]  # n, ascending
    teacher: list[tuple[int, float]]  # n, the teacher's class and its probability
    student: list[int]
    label_accuracy: float
    by_class: dict[str, list[float]]  # measures, k numbers each; empty until they are measured


class Batches:
    """The batches of one arm."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Batch] = OrderedDict()  # round -> batch
        self._count = 0

    def clear(self) -> None:
        """Forgets all batches."""
        self._kept.clear()

    def add(self, event: RoundSynthesized) -> None:
        """Keeps the images of a round; above KEPT rounds, every second one of the older half goes."""
        order = np.argsort(event.labels, kind="stable")
        confidence = event.teacher_confidence[order].round(3).tolist()
        self._count += 1
        self._kept[event.round] = Batch(
            round=event.round,
            number=self._count,
            picture=jpeg(event.images[order]),
            labels=event.labels[order].tolist(),
            teacher=list(zip(event.teacher_labels[order].tolist(), confidence, strict=True)),
            student=event.student_labels[order].tolist(),
            label_accuracy=round(event.label_accuracy, 4),
            by_class={},
        )
        if len(self._kept) > KEPT:
            for round_ in list(self._kept)[: KEPT // 2 : 2]:
                del self._kept[round_]

    def measured(self, event: DiversityMeasured) -> None:
        """Adds the measures by class to the round's batch, if it is kept."""
        batch = self._kept.get(event.round)
        if batch is None:
            return
        within, across = event.samples.within, event.samples.across
        batch.by_class = {"vendi": _short(within.vendi), "label_accuracy": _short(within.label_accuracies)}
        if across is not None:
            batch.by_class["nearest"] = _short(across.nearest)

    def named(self, event: SecondOpinion) -> None:
        batch = self._kept.get(event.round)
        if batch is not None:
            batch.by_class["named"] = _short(event.named)

    def picture(self, number: int) -> bytes | None:
        """The picture of that number, None when it is gone."""
        return next((batch.picture for batch in self._kept.values() if batch.number == number), None)

    def beside(self, round_: int) -> tuple[int | None, int | None]:
        """The kept rounds before and after a kept one, None where there is none."""
        kept = list(self._kept)
        at = kept.index(round_)
        return (kept[at - 1] if at else None), (kept[at + 1] if at + 1 < len(kept) else None)

    def nearest(self, round_: int) -> Batch | None:
        """The batch of that round, or the nearest kept batch; None while there is none."""
        kept = min(self._kept, key=lambda kept: abs(kept - round_), default=None)
        return None if kept is None else self._kept[kept]


def _short(values: Doubles) -> list[float]:
    return [round(float(value), 3) for value in values]
