"""A thinned student is the teacher's first channels, and whatever does not fit starts afresh and says so."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from nayer.distillation.state import new_state
from nayer.events import Note, StudentStep
from nayer.networks import channel_slicing
from nayer.networks.classifiers import build
from nayer.networks.specs import FAMILIES, ModelSpec
from tests.support.tiny import tiny_config, tiny_network, tiny_run, tiny_state, tiny_task


def spec(architecture, channels=3, size=16, classes=5):
    return ModelSpec(
        architecture=architecture,
        channels=channels,
        size=size,
        classes=classes,
        mean=(0.5,) * channels,
        std=(0.2,) * channels,
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_of_the_same_width_it_is_the_teacher_itself(family):
    teacher = build(spec(f"{family}-4"), torch.Generator().manual_seed(1)).eval()
    student = build(spec(f"{family}-4"), torch.Generator().manual_seed(2)).eval()
    assert channel_slicing.is_narrower_copy(teacher, student)
    channel_slicing.init_from_teacher_channels(teacher, student)
    images = torch.rand(3, 3, 16, 16)
    torch.testing.assert_close(student(images), teacher(images))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_channels_that_are_taken_belong_together(family):
    """A teacher whose other channels are silent computes, but for the layers' gains, what its thinned student does."""
    teacher = build(spec(f"{family}-4"), torch.Generator().manual_seed(1)).eval()
    student = build(spec(f"{family}-2"), torch.Generator().manual_seed(2)).eval()
    channel_slicing.init_from_teacher_channels(teacher, student)
    wide = teacher.state_dict()
    for name, thin in student.state_dict().items():
        first = tuple(slice(n) for n in thin.shape)
        if name.endswith("running_var"):
            wide[name].fill_(1.0)
        else:
            wide[name].zero_()
        wide[name][first] = thin
    images = torch.rand(3, 3, 16, 16)
    torch.testing.assert_close(student(images), teacher(images))


@pytest.mark.parametrize(("side", "inputs"), [((4, 3, 3, 3), (2, 3, 3, 3)), ((8, 6), (8, 2))])
def test_weights_grow_by_the_root_of_the_inputs_that_are_gone(side, inputs):
    wide, thin = nn.ParameterDict({"w": torch.rand(side)}), nn.ParameterDict({"w": torch.rand(inputs)})
    channel_slicing.init_from_teacher_channels(wide, thin)
    expected = wide["w"][: inputs[0], : inputs[1]] * (side[1] / inputs[1]) ** 0.5
    torch.testing.assert_close(thin["w"], expected)


def test_another_family_and_a_wider_student_do_not_fit():
    teacher = build(spec("lenet-4"))
    assert not channel_slicing.is_narrower_copy(teacher, build(spec("resnet8-2")))
    assert not channel_slicing.is_narrower_copy(teacher, build(spec("lenet-8")))
    assert not channel_slicing.is_narrower_copy(build(spec("plainnet-4")), build(spec("lenet-2")))


def test_the_run_starts_from_it_or_says_that_it_cannot():
    task = tiny_task(tiny_config(student_start="thinned"))
    state = tiny_state(task)
    assert all(torch.equal(p, q) for p, q in zip(state.student.parameters(), task.teacher.parameters(), strict=True))
    other = tiny_task(tiny_config(student_start="thinned", rounds=1), batchnorm=False)
    notes = [event.message for event in tiny_run(other) if isinstance(event, Note)]
    assert "The student is not a narrower copy of this teacher, so it starts from random weights." in notes
    fresh = tiny_state(tiny_task(tiny_config()))
    expected = tiny_network(1, seed=2)
    assert all(torch.equal(p, q) for p, q in zip(fresh.student.parameters(), expected.parameters(), strict=True))


def first_loss(teacher_width, student_width, **settings):
    """The student's loss in the first step of a run on small networks without BatchNorm."""
    networks = [
        build(spec(f"plainnet-{width}", 1, 8, classes=3), torch.Generator().manual_seed(width))
        for width in (teacher_width, student_width)
    ]
    task = tiny_task(tiny_config(rounds=2, student_start="thinned", **settings))
    task = replace(task, teacher=networks[0].eval().requires_grad_(False))
    state = new_state(task, networks[1], torch.Generator().manual_seed(0))
    return next(event.loss for event in tiny_run(task, state) if isinstance(event, StudentStep))


def test_hints_ask_nothing_of_the_teacher_itself_and_something_of_a_thinner_copy():
    assert first_loss(4, 4, hint_weight=9.0) == pytest.approx(first_loss(4, 4), abs=1e-6)
    without, once, thrice = (first_loss(4, 2, hint_weight=weight) for weight in (0.0, 1.0, 3.0))
    assert once > without + 0.1
    assert thrice - without == pytest.approx(3.0 * (once - without), rel=1e-4)


def test_teacher_and_student_see_the_same_distorted_images():
    assert first_loss(4, 4, elastic_share=1.0) == pytest.approx(0.0, abs=1e-6)
    straight, half, distorted = (first_loss(4, 2, elastic_share=share) for share in (0.0, 0.5, 1.0))
    assert len({straight, half, distorted}) == 3


def test_where_channels_have_no_counterparts_there_are_no_hints_and_the_run_says_so():
    assert first_loss(2, 4, hint_weight=9.0) == first_loss(2, 4)
    task = tiny_task(tiny_config(hint_weight=1.0, rounds=1), batchnorm=False)
    notes = [event.message for event in tiny_run(task) if isinstance(event, Note)]
    assert (
        "The student is not a narrower copy of this teacher, so it has no channels of the teacher to follow." in notes
    )
