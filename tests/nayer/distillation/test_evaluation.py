"""Measuring changes nothing, and counts what it says it counts."""

import pytest
import torch
from torch import nn

from nayer.common.stopwatch import Stopwatch
from nayer.distillation.evaluation import HeldBack, TestImages, batch_statistics, frozen_eval, predict
from nayer.distillation.image_pool import Pool
from tests.support.tiny import tiny_network


class Constant(nn.Module):
    """Says of image i the class written in its first pixel, plus `shift`."""

    def __init__(self, shift: int = 0) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        labels = (images[:, 0, 0, 0] * 255).round().long()
        return nn.functional.one_hot((labels + self.shift) % 4, 4).float()


def pictures(*labels: int) -> torch.Tensor:
    return torch.tensor(labels, dtype=torch.uint8).view(-1, 1, 1, 1)


def test_accuracy_and_agreement_are_shares_of_the_images():
    images, labels = pictures(0, 1, 2, 3), torch.tensor([0, 1, 2, 0])
    measured = TestImages(Constant(), images, labels)(Constant(shift=4))
    assert (measured.accuracy, measured.teacher_accuracy, measured.agreement, measured.images) == (0.75, 0.75, 1.0, 4)
    assert TestImages(Constant(), images, labels)(Constant(shift=1)).agreement == 0.0


def test_held_back_images_measure_agreement_alone():
    pool = Pool(10, (1, 1, 1), torch.device("cpu"))
    assert HeldBack(Constant(), pool)(Constant()).agreement is None
    pool.add(pictures(0, 1, 2), torch.tensor([0, 0, 0]))
    measured = HeldBack(Constant(), pool)(Constant())
    assert (measured.accuracy, measured.agreement, measured.images) == (None, 1.0, 3)


def test_predictions_do_not_depend_on_the_chunks(monkeypatch):
    images = torch.randint(0, 256, (23, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    network = tiny_network(1)
    whole = predict(network, images)
    monkeypatch.setattr("nayer.distillation.evaluation.CHUNK", 5)
    assert torch.equal(predict(network, images), whole)


def test_measuring_leaves_modes_gradients_and_statistics_as_they_were():
    network = tiny_network(1).train()
    network[1].eval()
    network[0].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    predict(network, torch.zeros(4, 1, 8, 8, dtype=torch.uint8))
    assert [m.training for m in (network, network[0], network[1])] == [True, True, False]
    assert [p.requires_grad for p in network[0].parameters()] == [False, True]
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_modes_come_back_also_after_an_error():
    network = tiny_network(1).train()
    with pytest.raises(RuntimeError), frozen_eval(network):
        raise RuntimeError
    assert network.training


def test_a_stopwatch_counts_only_inside_its_blocks():
    times = iter([10.0, 12.0, 100.0, 101.0, 103.0])
    watch = Stopwatch(elapsed=5.0, now=lambda: next(times))
    with watch:
        pass
    assert watch.seconds() == 7.0
    with watch:
        assert watch.seconds() == 8.0
    assert watch.seconds() == 10.0


def test_a_teacher_may_use_the_statistics_of_the_batch_and_keeps_its_own():
    teacher = tiny_network(1, seed=1).eval()
    images = 10.0 * torch.rand(20, 1, 8, 8)
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    own = teacher(images)
    with batch_statistics(teacher):
        of_batch = teacher(images)
        again = teacher(3.0 * images)
    assert not torch.allclose(own, of_batch)
    torch.testing.assert_close(of_batch, again, rtol=1e-3, atol=1e-3)  # a BatchNorm of the batch ignores the scale
    assert torch.equal(own, teacher(images))
    assert all(torch.equal(before[name], tensor) for name, tensor in teacher.state_dict().items())
