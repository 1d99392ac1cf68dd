"""BatchNorm for few channels is PyTorch's BatchNorm: forward, backward, what it remembers, in both modes."""

import copy

import pytest
import torch
from torch import nn

from nayer.networks.classifiers import build
from nayer.networks.cpu_layers import NARROW, NarrowBatchNorm2d, batch_norm, moments
from nayer.networks.specs import ModelSpec
from tests.support.images import seeded_images


def pair(channels):
    """Ours and PyTorch's with the same weights and statistics, none of them what it starts with."""
    draws = torch.Generator().manual_seed(1)
    ours, theirs = NarrowBatchNorm2d(channels), nn.BatchNorm2d(channels)
    with torch.no_grad():
        for tensor in (ours.weight, ours.bias, ours.running_mean):
            tensor.copy_(torch.randn(channels, generator=draws))
        ours.running_var.copy_(torch.rand(channels, generator=draws) + 0.5)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def passed(layer, images):
    """The output, the gradients of images, weight and bias, and the buffers after two passes."""
    images = images.clone().requires_grad_()
    layer(images)
    output = layer(images)
    slopes = torch.randn(output.shape, generator=torch.Generator().manual_seed(2))
    (output.float() * slopes).sum().backward()
    return [output, images.grad, layer.weight.grad, layer.bias.grad, *layer.buffers()]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("innermost", [True, False])
@pytest.mark.parametrize("shape", [(7, 4, 5, 9), (3, 8, 28, 28), (2, 1, 1, 6), (5, 15, 6, 1)])
def test_it_is_pytorchs_in_float32(shape, innermost, training):
    ours, theirs = (layer.train(training) for layer in pair(shape[1]))
    images = seeded_images(*shape, innermost=innermost)
    for mine, other in zip(passed(ours, images), passed(theirs, images), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_in_bfloat16_it_is_as_close_to_float64_as_pytorchs(training):
    images = seeded_images(16, 8, 14, 14, dtype=torch.bfloat16)
    ours, theirs = (layer.train(training) for layer in pair(8))
    exact = copy.deepcopy(theirs).double()
    truth = [part.double() for part in passed(exact, images.double())]

    def errors(layer):
        found = passed(layer, images)
        return [(part.double() - true).abs().mean().item() for part, true in zip(found, truth, strict=True)]

    for mine, other in zip(errors(ours), errors(theirs), strict=True):
        assert mine <= 1.5 * other + 1e-5


def test_the_gradient_is_that_of_finite_differences():
    layer = NarrowBatchNorm2d(3).double()
    assert torch.autograd.gradcheck(
        lambda images, weight, bias: torch.func.functional_call(layer, {"weight": weight, "bias": bias}, images),
        (
            seeded_images(3, 3, 4, 5, dtype=torch.float64).requires_grad_(),
            torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True),
            torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64, requires_grad=True),
        ),
    )


@pytest.mark.parametrize("innermost", [True, False])
@pytest.mark.parametrize("channels", [1, 8, 40])
def test_moments_are_mean_and_biased_variance(channels, innermost):
    images = seeded_images(6, channels, 7, 11, innermost=innermost)
    mean, variance = moments(images)
    torch.testing.assert_close(mean, images.mean(dim=(0, 2, 3)))
    torch.testing.assert_close(variance, images.var(dim=(0, 2, 3), correction=0))


def test_one_number_a_channel_is_refused_as_pytorch_does():
    images = seeded_images(1, 4, 1, 1)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        NarrowBatchNorm2d(4)(images)


def test_networks_have_it_where_they_are_narrow():
    spec = ModelSpec(architecture="lenet-8", channels=1, size=8, classes=2, mean=(0.0,), std=(1.0,))
    kinds = [type(layer) for layer in build(spec).modules() if isinstance(layer, nn.BatchNorm2d)]
    assert kinds == [NarrowBatchNorm2d, nn.BatchNorm2d]
    assert type(batch_norm(NARROW)) is nn.BatchNorm2d
