"""The outputs of teacher, student and untrained student for a single image, and real test images as inputs."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from nayer.config import Config
from nayer.data.test_sets import SHIPPED, load_testset
from nayer.distillation.evaluation import TestImages, spread
from nayer.distillation.report import ANSWERED
from nayer.distillation.state import starts_thinned
from nayer.errors import ConfigError
from nayer.exports.kept_students import KeptStudents
from nayer.networks import channel_slicing
from nayer.networks.cards import TeacherCard, student_spec
from nayer.networks.classifiers import Classifier, build
from nayer.networks.specs import ModelSpec
from nayer.runs.run import Run
from nayer.teachers.load import Teacher, load_teacher
from nayer.types import Floats, Images, Ints

MADE_BYTES = 16 << 20  # weights of the largest student that is made for a question alone


@dataclass(frozen=True, slots=True)
class Opinions:
    """Probabilities of the classes for one image, each (k,). A student is None if its weights are not available."""

    teacher: Floats
    untrained: Floats | None
    student: Floats | None
    round: int  # rounds that the student has learned from


@dataclass(frozen=True, slots=True)
class RealImage:
    """A real test image: `pixels` (c, h, w) uint8, and its class."""

    pixels: Images
    label: int


def probabilities(network: nn.Module, image: Images) -> Floats:
    """The probabilities (k,) for a uint8 image (c, h, w)."""
    device = next(network.parameters()).device
    batch = torch.from_numpy(image[None]).to(device).float() / 255.0
    with torch.no_grad():
        answer: Floats = F.softmax(network(batch)[0].float(), dim=0).cpu().numpy()
    return answer


@dataclass(frozen=True, slots=True)
class Examined:
    """Networks that are not trained. Any thread may ask them at any time. The student is the one after `round`."""

    teacher: nn.Module
    untrained: nn.Module | None  # None for one that is too large to be made for a question
    student: nn.Module | None
    round: int
    shape: tuple[int, int, int]  # of an image, (c, h, w)

    def opinions(self, image: Images) -> Opinions:
        """Their probabilities for a uint8 image (c, h, w). Raises ConfigError for another shape."""
        if image.shape != self.shape:
            given, wanted = (" × ".join(map(str, one)) for one in (image.shape, self.shape))
            raise ConfigError(f"pixels must have the shape {wanted} (channels × rows × columns); {given} was given.")
        untrained, student = (
            None if one is None else probabilities(one, image) for one in (self.untrained, self.student)
        )
        return Opinions(probabilities(self.teacher, image), untrained, student, self.round)


def examined(run: Run, before: Examined | None = None) -> Examined:
    """Copies of a run's networks in their present state. Call it between two events, when the networks have no hooks.

    `nayer.runs.rehearsed_round` counts these copies. `before` is an earlier result for the same run. Its teacher and
    untrained student are used again.
    """
    if before is not None:
        return replace(before, student=_still(run.student), round=run.state.round)
    return Examined(
        _still(run.task.teacher),
        untrained_student(run),
        _still(run.student),
        run.state.round,
        run.task.image_shape,
    )


def untrained_student(run: Run) -> nn.Module:
    """The student at the start of the run, made again from the seed. Its weights are on the run's device."""
    config = run.task.config
    return _untrained(student_spec(run.card, config.student), config, run.task.teacher, run.task.device)


def _untrained(spec: ModelSpec, config: Config, teacher: nn.Module, device: torch.device) -> Classifier:
    """A student of `spec` as a run of `config` begins with it."""
    student = build(spec, torch.Generator().manual_seed(config.seed)).to(device)
    if starts_thinned(config, teacher, student):
        channel_slicing.init_from_teacher_channels(teacher, student)
    return student.eval().requires_grad_(False)


def kept_students(run: Run) -> KeptStudents:
    """What keeps the students of a run by round. Call it before the first event: then the student is untrained."""
    return KeptStudents(run.student if run.state.round == 0 else untrained_student(run))


def _still(network: nn.Module) -> nn.Module:
    """A copy that is not trained: in eval mode, without gradients."""
    copy = deepcopy(network).eval().requires_grad_(False)
    for parameter in copy.parameters():
        parameter.grad = None
    return copy


def real_image(images: TestImages, label: int, pick: int) -> RealImage:
    """Image `pick` of a class; `pick` wraps around at the end. Raises ConfigError for a class without images."""
    return _picked(images.images.cpu().numpy(), images.labels.cpu().numpy(), label, pick)


class Examiner:
    """A shipped teacher and the student before it learns, without a run. Any thread may call it.

    It has no student with more than `MADE_BYTES` of weights. No run counts them, and a visitor may ask for many.
    """

    def __init__(self, name: str, config: Config) -> None:
        """`config` names the student. Raises NayerError for a teacher that cannot be loaded."""
        self._teacher: Teacher = load_teacher(name)
        card = self._teacher.card
        spec = student_spec(card, config.student)
        with torch.device("meta"):
            size = _bytes(Classifier(spec))
        teacher = self._teacher.network
        untrained = _untrained(spec, config, teacher, torch.device("cpu")) if size <= MADE_BYTES else None
        shape = (card.model.channels, card.model.size, card.model.size)
        self.networks = Examined(teacher, untrained, None, 0, shape)
        self.nbytes = _bytes(teacher) + (0 if untrained is None else size)

    def real_image(self, label: int, pick: int) -> RealImage:
        """One of the shipped test images of a class. Raises ConfigError if there are none."""
        if self._split is None:
            raise ConfigError(f"teacher={self._teacher.card.name!r} has no test images on this server; draw one.")
        return _picked(*self._split, label, pick)

    @cached_property
    def _split(self) -> tuple[Images, Ints] | None:
        """The shipped test images only, so a visitor's request starts no download."""
        card = self._teacher.card
        testset = load_testset(card) if card.testset in SHIPPED else None
        return None if testset is None else (testset.images, testset.labels)


def tested_images(card: TeacherCard, config: Config) -> Images:
    """The shipped test images (n, c, h, w) in the order of a run's answers. Raises ConfigError if there are none."""
    testset = load_testset(card) if card.testset in SHIPPED and not config.test_data else None
    if testset is None:
        raise ConfigError(f"teacher={card.name!r} has no test images on this server; choose another teacher.")
    measured = testset.images[spread(len(testset.images), config.test_images).numpy()]
    images: Images = measured[spread(len(measured), ANSWERED).numpy()]
    return images


def answered_images(images: TestImages) -> Images:
    """The images (n, c, h, w) of a run's own evaluation, in the order of its answers."""
    return images.images.cpu().numpy()[spread(len(images.labels), ANSWERED).numpy()]  # type: ignore[no-any-return]


def _bytes(network: nn.Module) -> int:
    return sum(parameter.nbytes for parameter in network.parameters())


def _picked(images: Images, labels: Ints, label: int, pick: int) -> RealImage:
    places = np.flatnonzero(labels == label)
    if not len(places):
        raise ConfigError(f"label={label} has no test images; choose another class.")
    place = places[pick % len(places)]
    return RealImage(images[place], int(labels[place]))
