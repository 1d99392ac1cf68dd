"""The re-drawn layer: who goes through which weights, and what a re-draw changes."""

import pytest
import torch

from nayer.networks import noisy_layer
from nayer.networks.generator import Generator, Latent


def drawn(layers: int, group: int, seed: int = 0) -> noisy_layer.NoisyLayer:
    layer = noisy_layer.NoisyLayer(layers, inputs=3, width=5, group=group)
    layer.redraw(torch.Generator().manual_seed(seed))
    return layer


@pytest.mark.parametrize(("routing", "group"), [("k-to-1", 4), ("1-to-1", 1), ("single", 10)])
def test_each_image_goes_through_its_groups_own_linear_map(routing, group):
    assert noisy_layer.group_size(routing, classes=4, batch=10) == group
    layer = drawn(layers=noisy_layer.layers(routing, classes=4, batch=10), group=group)
    assert len(layer.weight) == {"k-to-1": 3, "1-to-1": 10, "single": 1}[routing]
    codes = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
    expected = torch.stack(
        [code @ layer.weight[i // group] + layer.bias[i // group, 0] for i, code in enumerate(codes)]
    )
    torch.testing.assert_close(layer(codes), expected)


@pytest.mark.parametrize(
    ("width", "classes", "wanted"),
    [(1000, 10, 1000), (7, 200, 7), (0, 10, 250), (0, 39, 975), (0, 2, 64), (0, 100, 1000), (0, 200, 1000)],
)
def test_a_width_of_zero_is_25_for_each_class_within_bounds(width, classes, wanted):
    assert noisy_layer.outputs(width, classes) == wanted


def test_one_label_differs_between_layers_and_not_within_one():
    layer = drawn(layers=2, group=4)
    outputs = layer(torch.ones(8, 3))
    assert torch.equal(outputs[0], outputs[3])
    assert not torch.allclose(outputs[0], outputs[4])


def test_weights_are_drawn_with_deviation_one_and_no_bias():
    layer = noisy_layer.NoisyLayer(4, inputs=100, width=200, group=1)
    layer.redraw(torch.Generator().manual_seed(0))
    assert layer.weight.std().item() == pytest.approx(1.0, rel=0.01)
    assert layer.weight.mean().item() == pytest.approx(0.0, abs=0.01)
    assert layer.bias.abs().max() == 0.0


def generator(size: int = 8, channels: int = 1, routing_group: int = 3) -> Generator:
    table = torch.randn(3, 6, generator=torch.Generator().manual_seed(3))
    noisy = noisy_layer.NoisyLayer(4, inputs=6, width=16, group=routing_group)
    made = Generator(Latent(table), noisy, channels=channels, size=size, width=2)
    made.rebuild(torch.Generator().manual_seed(4))
    return made


def test_redrawing_changes_the_images_and_leaves_the_convolutions_alone():
    made = generator()
    labels = torch.arange(9) % 3
    before, weights = made(labels), {k: v.clone() for k, v in made.state_dict().items() if "noisy" not in k}
    weights = {k: v for k, v in weights.items() if "running" not in k and "tracked" not in k}
    made.noisy.redraw(torch.Generator().manual_seed(5))
    assert not torch.allclose(before, made(labels))
    assert all(torch.equal(made.state_dict()[k], v) for k, v in weights.items())


@pytest.mark.parametrize("size", [8, 13, 28, 32])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_have_the_asked_size_and_lie_between_zero_and_one(size, channels):
    images = generator(size, channels)(torch.tensor([2, 0, 1, 1]))
    assert images.shape == (4, channels, size, size)
    assert images.min() >= 0.0
    assert images.max() <= 1.0


def test_the_same_draw_gives_the_same_images_whatever_the_global_seed():
    labels = torch.arange(3)
    torch.manual_seed(1)
    first = generator()(labels)
    torch.manual_seed(2)
    assert torch.equal(generator()(labels), first)


def test_normalizing_the_table_equals_normalizing_a_balanced_batch():
    made = generator()
    labels = torch.arange(12) % 3
    batch = torch.nn.functional.batch_norm(made.latent.table[labels], None, None, training=True)
    torch.testing.assert_close(made.latent.norm(made.latent.table)[labels], batch, rtol=1e-4, atol=1e-5)
