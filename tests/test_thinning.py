"""A thinned student is the teacher's first channels, and whatever does not fit starts afresh and says so."""

import pytest
import torch
from torch import nn

from nayer import thinning
from nayer.architectures import FAMILIES, ModelSpec
from nayer.events import Note
from nayer.models import build
from tests.tiny import tiny_config, tiny_network, tiny_run, tiny_state, tiny_task


def spec(architecture, channels=3, size=16):
    return ModelSpec(
        architecture=architecture,
        channels=channels,
        size=size,
        classes=5,
        mean=(0.5,) * channels,
        std=(0.2,) * channels,
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_of_the_same_width_it_is_the_teacher_itself(family):
    teacher = build(spec(f"{family}-4"), torch.Generator().manual_seed(1)).eval()
    student = build(spec(f"{family}-4"), torch.Generator().manual_seed(2)).eval()
    assert thinning.fits(teacher, student)
    thinning.thin(teacher, student)
    images = torch.rand(3, 3, 16, 16)
    torch.testing.assert_close(student(images), teacher(images))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_channels_that_are_taken_belong_together(family):
    """A teacher whose other channels are silent computes, but for the layers' gains, what its thinned student does."""
    teacher = build(spec(f"{family}-4"), torch.Generator().manual_seed(1)).eval()
    student = build(spec(f"{family}-2"), torch.Generator().manual_seed(2)).eval()
    thinning.thin(teacher, student)
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
    thinning.thin(wide, thin)
    expected = wide["w"][: inputs[0], : inputs[1]] * (side[1] / inputs[1]) ** 0.5
    torch.testing.assert_close(thin["w"], expected)


def test_another_family_and_a_wider_student_do_not_fit():
    teacher = build(spec("lenet-4"))
    assert not thinning.fits(teacher, build(spec("resnet8-2")))
    assert not thinning.fits(teacher, build(spec("lenet-8")))
    assert not thinning.fits(build(spec("plainnet-4")), build(spec("lenet-2")))


def test_the_run_starts_from_it_or_says_that_it_cannot():
    task = tiny_task(tiny_config(student_start="thinned"))
    state = tiny_state(task)
    assert all(torch.equal(p, q) for p, q in zip(state.student.parameters(), task.teacher.parameters(), strict=True))
    other = tiny_task(tiny_config(student_start="thinned", rounds=1), batchnorm=False)
    notes = [event.message for event in tiny_run(other) if isinstance(event, Note)]
    assert any("no thinner twin" in message for message in notes)
    fresh = tiny_state(tiny_task(tiny_config()))
    expected = tiny_network(1, seed=2)
    assert all(torch.equal(p, q) for p, q in zip(fresh.student.parameters(), expected.parameters(), strict=True))
