"""The students of a run by round, small enough for its recording, and all networks of a recording for a page."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pydantic import ValidationError
from torch import nn

from nayer.errors import NayerError, StorageError
from nayer.events import RunStarted, StudentKept
from nayer.exports.recording import MOST_STUDENTS, STUDENTS_BYTES
from nayer.networks.classifiers import Classifier
from nayer.networks.plain_layers import Shape, plain_weights, rounded, shape_of
from nayer.networks.specs import ModelSpec
from nayer.types import Codes, Floats

TEACHER_BYTES = 1 << 20  # of the largest teacher that a page gets


class KeptStudents:
    """The students of a run by round: the untrained one, those of equally spaced rounds, and the newest.

    They take at most `STUDENTS_BYTES`. Of a network for which two take more, or that has other layers than
    `plain_layers` knows, none is kept.
    """

    def __init__(self, untrained: nn.Module, earlier: Iterable[StudentKept] = ()) -> None:
        """`untrained`: the student before its first step. `earlier`: the students of a continued run."""
        self._kept: list[StudentKept] = sorted(earlier, key=lambda one: one.learned)
        self._every = 1
        self._most = 0
        if isinstance(untrained, Classifier) and (shape := shape_of(untrained.spec)) is not None:
            fitting = STUDENTS_BYTES // shape.weights
            self._most = min(MOST_STUDENTS, fitting) if fitting >= 2 else 0
        if not self._kept:
            self.add(untrained, 0, 0.0)

    def add(self, student: nn.Module, learned: int, seconds: float) -> None:
        """Keeps the student as it is now, after it learned from `learned` rounds. Call it between two events."""
        if not self._most or not isinstance(student, Classifier):
            return
        weights = rounded(plain_weights(student))
        newest = StudentKept(
            round=max(0, learned - 1),
            seconds=seconds,
            learned=learned,
            model=student.spec.model_dump(),
            codes=weights.codes,
            numbers=weights.numbers,
        )
        kept = [one for one in self._kept if one.learned < learned and one.learned % self._every == 0]
        while len(kept) + 1 > self._most:
            self._every *= 2
            kept = [one for one in kept if one.learned % self._every == 0]
        self._kept = [*kept, newest]

    def events(self) -> list[StudentKept]:
        """The kept students, in order. Any thread may call it."""
        return list(self._kept)


def networks(
    started: RunStarted, students: Sequence[StudentKept], teacher: Classifier | None = None
) -> dict[str, Any] | None:
    """The networks of a recording, ready for JSON: numbers as base64. None if there are no students.

    `teacher` is left out where it is too large. Raises StorageError for students that do not fit the run.
    """
    if not students:
        return None
    try:
        spec = ModelSpec.model_validate(students[0].model)
        shape = shape_of(spec)
        c, h, w = started.image_shape
    except (ValidationError, NayerError, ValueError, TypeError):
        shape = None
    if shape is None:
        raise StorageError("recording contains students that cannot be used; save the run again.")
    wanted = shape.weights, 2 * shape.biases
    fits = (spec.channels, spec.size, spec.size, spec.classes) == (c, h, w, len(started.classes))
    if not fits or any(
        one.model != students[0].model or (len(one.codes), len(one.numbers)) != wanted for one in students
    ):
        raise StorageError("recording contains students that do not fit its run; save the run again.")
    whole = {
        "classes": list(started.classes),
        "student": _described(spec, shape),
        "students": [[one.learned, *_written(one.codes, one.numbers)] for one in students],
    }
    known = None if teacher is None else shape_of(teacher.spec)
    if teacher is not None and known is not None and known.weights <= TEACHER_BYTES:
        weights = rounded(plain_weights(teacher))
        whole["teacher"] = _described(teacher.spec, known) | {"numbers": _written(weights.codes, weights.numbers)}
    return whole


def _described(spec: ModelSpec, shape: Shape) -> dict[str, Any]:
    return {
        "layers": shape.layers,
        "image": [spec.channels, spec.size],
        "mean": list(spec.mean),
        "std": list(spec.std),
    }


def _written(codes: Codes, numbers: Floats) -> list[str]:
    parts = codes.astype(np.int8), numbers.astype("<f4")
    return [base64.b64encode(np.ascontiguousarray(part).tobytes()).decode() for part in parts]
