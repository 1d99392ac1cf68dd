"""Pooling by two and flattening give what PyTorch's give; and pooling before the ReLU is pooling behind it."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nayer.networks.classifiers import build
from nayer.networks.cpu_layers import Flatten, HalvingMaxPool
from nayer.networks.hooks import ActivationHooks
from nayer.networks.specs import ModelSpec
from tests.support.images import seeded_images


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("innermost", [True, False])
@pytest.mark.parametrize("shape", [(3, 8, 28, 28), (2, 5, 7, 9), (1, 1, 2, 3), (4, 16, 6, 2)])
def test_it_is_pytorchs_pooling(shape, innermost, dtype):
    images = seeded_images(*shape, innermost=innermost, dtype=dtype)
    images[0, 0, 0, 0] = float("nan")  # which a maximum may not hide
    expected = F.max_pool2d(images, 2)
    assert torch.equal(HalvingMaxPool()(images).nan_to_num(99.0), expected.nan_to_num(99.0))
    assert expected.isnan().sum() == 1


def test_gradients_are_pytorchs_too():
    wanted = []
    for pool in (HalvingMaxPool(), nn.MaxPool2d(2)):
        images = seeded_images(2, 3, 6, 6).round().requires_grad_()  # rounded: windows with two largest
        pool(images).square().sum().backward()
        wanted.append(images.grad)
    assert torch.equal(*wanted)


@pytest.mark.parametrize("innermost", [True, False])
def test_flattening_is_pytorchs_and_its_gradient_lies_as_the_images_do(innermost):
    layout = torch.channels_last if innermost else torch.contiguous_format
    images = seeded_images(2, 3, 4, 5, innermost=innermost).requires_grad_()
    flat = Flatten()(images)
    assert torch.equal(flat, images.flatten(1))
    layouts = []
    images.register_hook(lambda gradient: layouts.append(gradient.is_contiguous(memory_format=layout)))
    slopes = torch.arange(120.0).view(2, 60)
    (flat * slopes).sum().backward()
    assert torch.equal(images.grad, slopes.view(2, 3, 4, 5))
    assert layouts == [True]


@pytest.mark.parametrize("asked", [True, False])
def test_a_network_that_pools_first_is_one_that_rectifies_first(asked):
    """LeNet as it was published: convolution, ReLU, pooling; the same weights, values and gradients."""
    spec = ModelSpec(architecture="lenet-4", channels=1, size=8, classes=3, mean=(0.5,), std=(0.5,))
    network = build(spec, torch.Generator().manual_seed(1))
    body, relu, pool = network.body, nn.ReLU(), nn.MaxPool2d(2)
    published = nn.Sequential(*body[:2], relu, pool, *body[4:6], relu, pool, *body[8:], network.last)
    images = seeded_images(5, 1, 8, 8).requires_grad_(not asked)
    with torch.set_grad_enabled(not asked):
        ours, theirs = network(images), published((images - network.mean) / network.std)
    assert torch.equal(ours, theirs)
    if not asked:
        weight = network.body[0].weight
        gradients = [torch.autograd.grad(output.square().sum(), [images, weight]) for output in (ours, theirs)]
        for mine, other in zip(*gradients, strict=True):
            torch.testing.assert_close(mine, other)


def test_a_stage_before_the_pooling_is_rectified_all_the_same():
    spec = ModelSpec(architecture="lenet-4", channels=1, size=8, classes=3, mean=(0.5,), std=(0.5,))
    network = build(spec, torch.Generator().manual_seed(1))
    images = seeded_images(5, 1, 8, 8)
    with ActivationHooks(network) as stages:
        network(images)
    x = (images - network.mean) / network.std
    first = F.relu(network.body[1](network.body[0](x)))  # in training mode, like the pass above
    second = F.relu(network.body[5](network.body[4](F.max_pool2d(first, 2))))
    assert stages.sides == [1, 2, 4, 8]
    torch.testing.assert_close(stages.at(8), first)
    torch.testing.assert_close(stages.at(4), second)
    torch.testing.assert_close(stages.at(2), F.max_pool2d(second, 2))
    assert (stages.at(8) >= 0).all()
    assert stages.at(1).shape == (5, 32)
