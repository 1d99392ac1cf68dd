"""The events of a run: frozen dataclasses of numbers, strings and numpy arrays, safe to keep and to send.

Images are uint8 (n, c, h, w). Every event carries the round it belongs to and the seconds since the run began.
Events count rounds and steps from 0. What people read (the page, `metrics.csv`, the tables, the trackers) counts
rounds from 1.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from nayer.measures import Scales
from nayer.types import Codes, Doubles, Floats, Images, Ints, Shorts

Redrawn = Literal["noisy layer", "first layer", "generator"]  # `generator` re-draws the other two as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The base of all events."""

    droppable: ClassVar[bool] = False  # a slow viewer may miss it
    by_class: ClassVar[tuple[str, ...]] = ()  # its arrays of a number a class
    round: int  # 0 is the first; people read it as round 1
    seconds: float  # since the run began, from a monotonic clock
    arm: int = 0  # of a lab, the one this happened in; a run by itself is arm 0

    def to_json(self) -> dict[str, Any]:
        """`event` (snake case), then the fields; arrays become their shape: JSON is no place for pictures.

        The measures by class, which are a number a class, are written out.
        """
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        plain = {key: value.tolist() if key in self.by_class else _plain(value) for key, value in fields.items()}
        return {"event": self.json_name()} | plain

    @classmethod
    def json_name(cls) -> str:
        """The name of this kind of event in JSON: GeneratorStep is generator_step."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """Everything is loaded. The first round starts, or the next one after a resume."""

    teacher: str
    student: str  # its architecture
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]  # (c, h, w)
    config: dict[str, Any]
    embeddings: Floats  # (k, d) the table behind the noisy layer
    latent: str  # kind of that table: lte, one-hot, random or shuffled
    rounds: int  # planned
    measured_on: Literal["test images", "held-back samples"]
    parameters: dict[str, int]  # numbers of weights: teacher, student, generator, noisy layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Event):
    """A remark about this run for a person, in one or two sentences."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRedrawn(Event):
    """Weights were re-drawn before the first step of a round."""

    what: Redrawn
    outputs: Floats  # (m, k, width) of the first m ≤ 4 noisy layers, for every class


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorStep(Event):
    """The generator took one optimizer step."""

    droppable: ClassVar[bool] = True
    step: int  # within the round, 0 is the first
    steps: int  # of the round
    loss: float  # the weighted sum below
    ce: float  # nats, teacher against the wanted label
    bn: float  # distance to the teacher's BatchNorm statistics, 0 without BatchNorm
    adversarial: float  # −KL(teacher ‖ student) in nats over the batch, 0 during warm-up
    label_accuracy: float  # share of the batch that the teacher assigns to the wanted label, 0..1
    preview: Images  # (p, c, h, w) the first image of each of the first p ≤ 20 classes


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSynthesized(Event):
    """The batch of a round is ready. It enters the pool, except before round `pool_from_round`."""

    images: Images  # (n, c, h, w), at most 200: whole sets of classes
    labels: Ints  # (n,) wanted
    teacher_labels: Ints  # (n,) the teacher's argmax
    teacher_confidence: Floats  # (n,) the teacher's probability of its argmax
    student_labels: Ints  # (n,) the student's argmax, before it learns from them
    student_confidence: Floats  # (n,)
    features: Floats  # (n, f) the teacher's penultimate features
    best_step: int  # the step whose batch this is
    loss: float  # at that step
    label_accuracy: float  # share of the whole batch, 0..1
    pooled: bool
    pool_size: int  # images, after this batch
    pool_capacity: int  # images


@dataclass(frozen=True, slots=True, kw_only=True)
class DiversityMeasured(Event):
    """Diversity of the newest images, with noise and real test images as references; see `diversity`."""

    samples: Scales
    noise: Scales  # the same for images of pure noise
    real: Scales | None  # the same for labeled test images; None without them
    labels_kept: float  # share whose predicted class survives a crop, a flip and mild noise, 0..1

    @property
    def means(self) -> tuple[float | None, ...]:
        """`Scales.means` of samples, noise and real images, scale by scale: nine numbers, None where one is missing."""
        sides = [(None,) * 3 if side is None else side.means for side in (self.samples, self.noise, self.real)]
        return tuple(itertools.chain(*zip(*sides, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinion(Event):
    """The classes that a judge, a second network from which nothing learns, assigns to the whole batch of a round."""

    by_class: ClassVar[tuple[str, ...]] = ("named", "confidence", "counts")
    named: Doubles  # (k,) share of a class's images that the judge assigns to it, 0..1
    confidence: Doubles  # (k,) mean probability of the class that the judge predicts, 0..1
    counts: Ints  # (k,) images of each wanted class; without any, the two numbers above are 0
    named_share: float  # of all images, 0..1
    confidence_mean: float  # over all images, 0..1
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChanged(Event):
    """Settings changed during the run. They apply from this round on."""

    changes: dict[str, tuple[Any, Any]]  # setting -> (before, after)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentStep(Event):
    """The student took one optimizer step."""

    droppable: ClassVar[bool] = True
    step: int  # within the phase, 0 is the first
    steps: int  # of the phase
    loss: float  # nats × temperature²
    agreement: float  # share of the batch where student and teacher pick the same class, 0..1
    learning_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated(Event):
    """The student was evaluated. All shares are 0..1."""

    accuracy: float | None  # on labeled test images; None without them
    teacher_accuracy: float | None
    agreement: float | None  # share with the teacher's class; None while no sample is held back
    images: int  # measured on
    measured_on: Literal["test images", "held-back samples"]

    @property
    def reached(self) -> float | None:
        """The accuracy, or without labeled test images the agreement with the teacher."""
        return self.agreement if self.accuracy is None else self.accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedAtStart(Evaluated):
    """The student was evaluated before its first step, at 0 s: what it knows then, the run has not taught it."""

    thinned: bool  # whether it begins with weights of its teacher


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesTested(Event):
    """The true classes of the test images and those of the teacher. They come once, before the first answers.

    Of more than 2,000 test images, 2,000 are chosen evenly.
    """

    labels: Shorts  # (n,)
    teacher: Shorts  # (n,)
    images: int  # all that the student is measured on


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentAnswered(Event):
    """The class that the student assigns to each of these images, with every evaluation on test images."""

    learned: int  # rounds that the student has learned from
    student: Shorts  # (n,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFinished(Event):
    """A round has ended. A run can be saved and resumed here."""

    rounds: int  # planned
    work: float = 0.0  # 10⁹ multiply-adds of the run so far; 0 where its config does not limit them


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentKept(Event):
    """The student at the end of a round, its weights rounded to 8 bits. Only recordings contain it."""

    learned: int  # rounds that it has learned from; 0: the untrained student
    model: dict[str, Any]  # its `ModelSpec`
    codes: Codes  # (n,) the weights, in the order of its layers
    numbers: Floats  # (m,) of each layer, the step of a code for each output, then the biases


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """The run ended by itself, or someone stopped it."""

    reason: Literal["rounds done", "work is done", "time is up", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed(Event):
    """The run failed. Its results so far are kept."""

    message: str  # one sentence for a person


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return list(value.shape)
    if dataclasses.is_dataclass(value):
        return {field.name: _listed(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def _listed(measures: Any) -> Any:
    return measures.tolist() if isinstance(measures, np.ndarray) else _plain(measures)
