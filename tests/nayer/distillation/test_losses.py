"""Every loss equals what its formula gives by hand, and points where it should."""

import math

import pytest
import torch

from nayer.distillation.losses import adversarial_loss, batchnorm_loss, cross_entropy_loss, distillation_loss
from nayer.networks.hooks import ema


def logits(*rows: list[float]) -> torch.Tensor:
    """Logits whose softmax are the given probabilities."""
    return torch.tensor(rows).log()


def test_label_loss_is_minus_log_probability_of_the_wanted_label():
    teacher = logits([0.5, 0.25, 0.25], [0.1, 0.8, 0.1])
    assert cross_entropy_loss(teacher, torch.tensor([0, 2])).item() == pytest.approx((math.log(2) + math.log(10)) / 2)


def test_label_loss_at_a_temperature_is_the_cross_entropy_of_softer_answers_times_it():
    teacher = 3.0 * logits([0.5, 0.25, 0.25], [0.1, 0.8, 0.1])
    expected = 3.0 * (math.log(2) + math.log(10)) / 2
    assert cross_entropy_loss(teacher, torch.tensor([0, 2]), 3.0).item() == pytest.approx(expected)


def test_a_temperature_pulls_on_where_the_teacher_is_sure_and_no_harder_where_it_is_not():
    def pull(margin: float, temperature: float) -> float:
        teacher = torch.tensor([[margin, 0.0]], requires_grad=True)
        cross_entropy_loss(teacher, torch.tensor([0]), temperature).backward()
        assert teacher.grad is not None
        return -teacher.grad[0, 0].item()

    assert pull(8.0, 1.0) == pytest.approx(1 / (1 + math.e**8), rel=1e-3)
    assert pull(8.0, 4.0) == pytest.approx(1 / (1 + math.e**2), rel=1e-3)
    assert pull(0.0, 4.0) == pull(0.0, 1.0) == 0.5


def test_a_second_share_of_the_target_goes_to_the_best_of_the_other_classes():
    teacher = logits([0.5, 0.3, 0.2], [0.5, 0.3, 0.2])
    share = torch.tensor([0.25, 0.5])
    first = 0.75 * math.log(2) - 0.25 * math.log(0.3)  # wanted: 0, next best: 1
    second = -0.5 * math.log(0.2) + 0.5 * math.log(2)  # wanted: 2, next best: 0
    assert cross_entropy_loss(teacher, torch.tensor([0, 2]), 1.0, share).item() == pytest.approx((first + second) / 2)


def test_batchnorm_loss_sums_the_distances_of_means_and_variances():
    batch = [(torch.tensor([3.0, 4.0]), torch.tensor([1.0, 1.0])), (torch.tensor([1.0]), torch.tensor([5.0]))]
    running = [(torch.tensor([0.0, 0.0]), torch.tensor([1.0, 1.0])), (torch.tensor([1.0]), torch.tensor([2.0]))]
    assert batchnorm_loss(batch, running).item() == pytest.approx(5.0 + 0.0 + 0.0 + 3.0)
    assert batchnorm_loss(running, running).item() == 0.0


def test_adversarial_loss_counts_only_images_where_both_agree():
    teacher = logits([0.5, 0.5 - 1e-6], [0.9, 0.1])
    student = logits([0.75, 0.25], [0.2, 0.8])  # agrees on the first, not on the second
    kl = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    assert adversarial_loss(student, teacher).item() == pytest.approx(-kl / 2, abs=1e-5)


def test_adversarial_gradient_is_not_zero_and_flows_through_both_networks():
    teacher = logits([0.6, 0.4]).requires_grad_()
    student = logits([0.9, 0.1]).requires_grad_()
    adversarial_loss(student, teacher).backward()
    assert teacher.grad is not None
    assert teacher.grad.abs().sum() > 0.01
    assert student.grad is not None
    assert student.grad.abs().sum() > 0.01


def test_adversarial_loss_of_identical_networks_is_zero_with_zero_gradient():
    """The teacher passed where the student belongs: the mistake that silenced published baselines."""
    teacher = logits([0.6, 0.4]).requires_grad_()
    loss = adversarial_loss(teacher, teacher)
    loss.backward()
    assert loss.item() == 0.0
    assert teacher.grad is not None
    assert teacher.grad.abs().max() < 1e-7


def test_distillation_loss_is_the_scaled_divergence_of_softened_outputs():
    temperature = 2.0
    teacher, student = torch.tensor([[2.0 * math.log(3.0), 0.0]]), torch.tensor([[0.0, 0.0]])
    kl = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    assert distillation_loss(student, teacher, temperature).item() == pytest.approx(kl * 4.0, rel=1e-5)
    assert distillation_loss(teacher + 7.0, teacher, temperature).item() == pytest.approx(0.0, abs=1e-6)


def test_distillation_loss_does_not_depend_on_how_a_batch_is_cut():
    rng = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(6, 4, generator=rng), torch.randn(6, 4, generator=rng)
    halves = [distillation_loss(s, t, 3.0) for s, t in zip(student.split(3), teacher.split(3), strict=True)]
    assert torch.stack(halves).mean().item() == pytest.approx(distillation_loss(student, teacher, 3.0).item(), rel=1e-5)


def test_blending_statistics_scales_the_gradient_by_the_batch_share():
    mean = torch.tensor([1.0], requires_grad=True)
    [(blended, _)] = ema([(mean, torch.ones(1))], [(torch.tensor([3.0]), torch.ones(1))], momentum=0.9)
    blended.backward()
    assert blended.item() == pytest.approx(0.1 * 1.0 + 0.9 * 3.0)
    assert mean.grad is not None
    assert mean.grad.item() == pytest.approx(0.1)
    assert ema([(mean, mean)], None, momentum=0.9) == [(mean, mean)]
