"""The classes that teacher and student assign to the test images, by round. The page counts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nayer.common.thinning import thin_out
from nayer.events import ImagesTested, StudentAnswered
from nayer.exports.recording import ANSWERS

FIRST_CLASS = 48  # the code point of class 0, the character 0; class 10 is the next after 9
_LAST = 0xD7FF - FIRST_CLASS  # half characters come after it


@dataclass(frozen=True, slots=True)
class Answers:
    """A text has one character for each image, which stands for a class."""

    seq: int
    begun: int  # the `seq` at which labels and teacher came
    labels: str
    teacher: str
    images: int  # all that the student is measured on; the texts may have fewer
    rounds: tuple[tuple[int, int, str], ...] = ()  # seq, rounds that the student had learned from, its classes


def tested(seq: int, event: ImagesTested, before: Answers | None) -> Answers:
    """The answers with the true classes. The rounds `before` stay if the images are the same: a continued run."""
    labels, teacher = as_text(event.labels), as_text(event.teacher)
    if len(labels) != len(teacher):
        raise ValueError("the teacher has answered for other images")
    kept = before.rounds if before is not None and before.labels == labels else ()
    return Answers(seq, seq, labels, teacher, int(event.images), kept)


def answered(seq: int, event: StudentAnswered, before: Answers | None) -> Answers | None:
    """With the answers of one more round; above ANSWERS rounds every second one of the older half goes."""
    if before is None:
        return None
    student, learned = as_text(event.student), int(event.learned)
    if len(student) != len(before.labels):
        raise ValueError("the student has answered for other images")
    earlier = [one for one in before.rounds if one[1] < learned]
    rounds = tuple(thin_out([*earlier, (seq, learned, student)], ANSWERS))
    return Answers(seq, before.begun, before.labels, before.teacher, before.images, rounds)


def answers_json(answers: Answers | None, since: int) -> dict[str, Any]:
    """JSON-ready: the rounds since `since`. The first answer also has the true classes and the teacher's answers."""
    if answers is None:
        return {}
    news: dict[str, Any] = {"rounds": [[learned, text] for seq, learned, text in answers.rounds if seq > since]}
    if answers.begun > since:
        news |= {"labels": answers.labels, "teacher": answers.teacher, "images": answers.images}
    return news


def as_text(classes: ArrayLike) -> str:
    """Classes (n,) as n characters. ValueError for anything else, which an external file may hold."""
    numbers = np.asarray(classes)
    if numbers.ndim != 1 or numbers.dtype.kind not in "ui" or np.any(numbers > _LAST) or np.any(numbers < 0):
        raise ValueError("no classes")
    return (numbers.astype("<u4") + FIRST_CLASS).tobytes().decode("utf-32-le")
