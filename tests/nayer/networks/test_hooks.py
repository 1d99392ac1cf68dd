"""The hooks read what a BatchNorm layer itself would compute, and leave when the block ends."""

import pytest
import torch
from torch import nn

from nayer.networks.hooks import BatchNormStatsHook


def test_statistics_are_those_batchnorm_would_normalize_with():
    layer = nn.BatchNorm2d(3, momentum=1.0)  # momentum 1: running statistics become the batch's
    images = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 + 1
    with BatchNormStatsHook(layer) as inputs:
        layer(images)
    [(mean, variance)] = inputs.batch
    n = 5 * 4 * 4
    torch.testing.assert_close(mean, layer.running_mean)
    torch.testing.assert_close(variance * n / (n - 1), layer.running_var)  # PyTorch keeps the unbiased one


def test_statistics_carry_gradient_and_only_the_last_pass_counts():
    network = nn.Sequential(nn.BatchNorm2d(1), nn.BatchNorm2d(1)).eval()
    images = torch.rand(2, 1, 3, 3, requires_grad=True)
    with BatchNormStatsHook(network) as inputs:
        network(torch.rand(2, 1, 3, 3))
        network(images)
    assert len(inputs.batch) == len(inputs.running) == 2
    inputs.batch[1][0].sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_hooks_are_gone_after_the_block_also_when_it_fails():
    network = nn.Sequential(nn.BatchNorm2d(1))
    try:
        with BatchNormStatsHook(network):
            raise ValueError
    except ValueError:
        pass
    assert not network[0]._forward_pre_hooks


def test_a_network_without_batchnorm_has_no_statistics():
    network = nn.Sequential(nn.Conv2d(1, 2, 1))
    with BatchNormStatsHook(network) as inputs:
        network(torch.rand(1, 1, 2, 2))
    assert inputs.batch == []
    assert inputs.running == []


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_those_of_mean_and_variance(memory_format):
    layer = nn.BatchNorm2d(3).eval()
    images = torch.randn(4, 3, 5, 6, generator=torch.Generator().manual_seed(0)) + 2.0
    by_mean, by_variance = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.3, 4.0, -1.0])
    gradients = []
    for hooked in (True, False):
        x = images.to(memory_format=memory_format, copy=True).requires_grad_()
        if hooked:
            with BatchNormStatsHook(layer) as inputs:
                layer(x)
            [(mean, variance)] = inputs.batch
        else:
            mean, variance = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3), unbiased=False)
        ((by_mean * mean).sum() + (by_variance * variance).sum()).backward()
        gradients.append((mean, variance, x.grad))
    for ours, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, plain)
