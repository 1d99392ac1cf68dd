"""A recording carries the students by round: few bytes, the same answers, and nothing that a stranger could slip in."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import torch

from app.environment import RECORDING
from nayer.data.test_sets import load_testset
from nayer.errors import StorageError
from nayer.events import Evaluated, RunStarted, StudentKept
from nayer.exports import recording
from nayer.exports.kept_students import KeptStudents, networks
from nayer.networks.plain_layers import plain_weights, rounded
from nayer.networks.specs import ModelSpec
from nayer.teachers.load import load_teacher
from tests.support.plain import filled, random_network


@pytest.fixture(scope="module")
def shipped():
    return recording.load(RECORDING)


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def accuracy(network, testset):
    with torch.no_grad():
        predicted = network(torch.from_numpy(testset.images).float() / 255.0).argmax(dim=1).numpy()
    return float((predicted == testset.labels).mean())


def test_the_shipped_recording_has_the_student_of_every_round_as_accurate_as_it_was_measured(shipped):
    students = recording.students(shipped)
    measured = of(Evaluated, shipped)
    assert [one.learned for one in students] == list(range(of(RunStarted, shipped)[0].rounds + 1))
    testset = load_testset(load_teacher("emoji10").card)
    for one in (students[0], students[10], students[-1]):
        network = filled(ModelSpec.model_validate(one.model), one.codes, one.numbers)
        wanted = measured[one.learned].accuracy  # the first is measured before the first round
        assert accuracy(network, testset) == pytest.approx(wanted, abs=0.03)


def test_a_rounded_teacher_is_as_accurate():
    teacher = load_teacher("emoji10")
    testset = load_testset(teacher.card)
    short = rounded(plain_weights(teacher.network))
    network = filled(teacher.network.spec, short.codes, short.numbers)
    assert accuracy(network, testset) == pytest.approx(accuracy(teacher.network, testset), abs=0.005)


def test_of_many_rounds_equally_spaced_ones_stay_with_the_first_and_the_newest():
    network = random_network("lenet-2")
    kept = KeptStudents(network)
    for learned in range(1, 202):
        kept.add(network, learned, float(learned))
        assert len(kept.events()) <= recording.MOST_STUDENTS
    learned = [one.learned for one in kept.events()]
    assert learned[0] == 0
    assert learned[-1] == 201
    assert {later - earlier for earlier, later in pairwise(learned[:-1])} == {4}


def test_the_bytes_are_bounded_and_a_large_network_is_not_kept_at_all():
    network = random_network("resnet14-16")
    kept = KeptStudents(network)
    for learned in range(1, 9):
        kept.add(network, learned, 0.0)
    assert 2 <= len(kept.events()) < 9
    assert sum(one.codes.nbytes for one in kept.events()) <= recording.STUDENTS_BYTES
    assert KeptStudents(random_network("resnet34-32")).events() == []


def changed(**fields):
    return lambda one: dataclasses.replace(one, **{name: value(getattr(one, name)) for name, value in fields.items()})


@pytest.mark.parametrize(
    "lie",
    [
        changed(numbers=lambda numbers: np.full_like(numbers, np.nan)),
        changed(numbers=lambda numbers: np.full_like(numbers, np.inf)),
        changed(numbers=lambda numbers: numbers.astype(np.float64)),
        changed(codes=lambda codes: codes.astype(np.int16)),
        changed(codes=lambda codes: codes[None]),
        changed(codes=lambda _: [1, 2]),
        changed(learned=lambda _: "1"),
        changed(learned=lambda _: -1),
        changed(learned=lambda _: {}),
        changed(arm=lambda _: [0]),
        changed(model=lambda _: "lenet-8"),
        changed(codes=lambda codes: np.zeros(8 * recording.STUDENTS_BYTES, np.int8)),
    ],
)
def test_students_that_cannot_be_any_are_refused_with_their_file(shipped, lie):
    events = [lie(event) if isinstance(event, StudentKept) else event for event in shipped]
    with pytest.raises(StorageError, match="contains students that"):
        recording.read(recording.written(events))


def test_more_students_than_a_file_may_have_are_refused(shipped):
    more = recording.students(shipped)[:1] * (recording.MOST_STUDENTS + 1)
    with pytest.raises(StorageError, match="contains students that"):
        recording.read(recording.written([*shipped, *more]))


@pytest.mark.parametrize(
    "lie",
    [
        changed(codes=lambda codes: codes[:-1]),
        changed(numbers=lambda numbers: numbers[:-1]),
        changed(model=lambda model: {**model, "size": 28}),
        changed(model=lambda model: {**model, "architecture": "resnet34-128"}),
        changed(model=lambda model: {**model, "architecture": "own"}),
        changed(model=lambda model: {**model, "classes": 2}),
        changed(model=lambda model: {**model, "mean": (float("nan"),) * 3}),
        changed(model=lambda _: {}),
    ],
)
def test_students_that_do_not_fit_their_run_are_refused(shipped, lie):
    students = [lie(one) for one in recording.students(shipped)]
    with pytest.raises(StorageError, match="contains students that"):
        networks(of(RunStarted, shipped)[0], students)


def test_a_file_without_students_is_as_valid_as_before(shipped):
    earlier = [event for event in shipped if not isinstance(event, StudentKept)]
    events = recording.read(recording.written(earlier))
    assert recording.students(events) == []
    assert networks(of(RunStarted, events)[0], []) is None
