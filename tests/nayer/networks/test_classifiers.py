"""The classifiers: shapes for every size, weights from one generator only, PyTorch's own starting distribution."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from nayer.errors import ConfigError
from nayer.networks.classifiers import Classifier, build, initialize
from nayer.networks.specs import FAMILIES, ModelSpec, parse_architecture


def a_spec(architecture: str = "lenet-3", channels: int = 1, size: int = 8, classes: int = 5) -> ModelSpec:
    mean, std = (0.3, 0.4, 0.5)[:channels], (0.2, 0.3, 0.25)[:channels]
    return ModelSpec(architecture=architecture, channels=channels, size=size, classes=classes, mean=mean, std=std)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [8, 11, 28, 32, 64])
def test_logits_are_the_head_of_the_features(family: str, channels: int, size: int) -> None:
    network = build(a_spec(f"{family}-3", channels, size), seeded()).eval()
    images = torch.rand(2, channels, size, size, generator=seeded())
    features = network.features(images)
    assert features.shape == (2, network.last.in_features)
    assert torch.equal(network(images), network.head(features))
    assert network(images).shape == (2, 5)


@pytest.mark.parametrize("family", FAMILIES)
def test_only_plainnet_is_without_batchnorm(family: str) -> None:
    layers = [m for m in build(a_spec(f"{family}-2")).modules() if isinstance(m, nn.BatchNorm2d)]
    assert bool(layers) == (family != "plainnet")


def test_an_image_is_normalized_inside() -> None:
    network = build(a_spec(channels=3), seeded()).eval()
    plain = build(a_spec(channels=3).model_copy(update={"mean": (0.0,) * 3, "std": (1.0,) * 3}), seeded()).eval()
    images = torch.rand(2, 3, 8, 8, generator=seeded())
    by_hand = (images - torch.tensor([0.3, 0.4, 0.5]).view(3, 1, 1)) / torch.tensor([0.2, 0.3, 0.25]).view(3, 1, 1)
    torch.testing.assert_close(network(images), plain(by_hand))


def test_a_resnet_counts_the_parameters_of_the_published_one() -> None:
    network = build(a_spec("resnet20-16", channels=3, size=32, classes=10))
    projections = 16 * 32 + 32 * 64 + 2 * (32 + 64)  # option B; the published 0.27 M has option A, without weights
    assert sum(p.numel() for p in network.parameters()) - projections == 269_722


@pytest.mark.parametrize(
    ("architecture", "parameters"),
    [("wrn40-2", 2_243_546), ("wrn16-1", 175_066), ("resnet34-64", 21_282_122), ("resnet18-64", 11_173_962)],
)
def test_the_larger_ones_count_the_parameters_of_the_published_ones(architecture: str, parameters: int) -> None:
    with torch.device("meta"):
        network = Classifier(a_spec(architecture, channels=3, size=32, classes=10))
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_the_same_seed_gives_the_same_weights_and_another_seed_gives_others() -> None:
    one, same, other = (build(a_spec("resnet8-4"), seeded(seed)).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["last.weight"], other["last.weight"])


def test_building_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    network = build(a_spec("resnet9-4"), seeded())
    initialize(network, seeded(1))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("layer", [nn.Linear(30, 400), nn.Conv2d(6, 50, 5, padding=2)])
def test_weights_start_as_pytorch_starts_them(layer: nn.Linear | nn.Conv2d) -> None:
    theirs = {name: value.detach().clone() for name, value in layer.named_parameters()}
    bound = 1 / math.sqrt(layer.weight[0].numel())
    initialize(layer, seeded())
    for name, ours in layer.named_parameters():
        assert not torch.equal(ours, theirs[name])
        assert ours.abs().max() <= bound
        assert ours.abs().max() > 0.95 * bound  # uniform up to its end
        assert abs(ours.mean()) < 4 * bound / math.sqrt(3 * ours.numel())  # 4 standard errors
    assert layer.weight.std().item() == pytest.approx(theirs["weight"].std().item(), rel=0.03)


def test_batchnorm_starts_afresh_even_without_running_statistics() -> None:
    layers = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm1d(3, track_running_stats=False))
    fresh = {name: value.clone() for name, value in layers.state_dict().items()}
    layers[0](torch.rand(4, 3, 2, 2, generator=seeded()))
    with torch.no_grad():
        for parameter in layers.parameters():
            parameter.add_(1.0)
    initialize(layers, seeded())
    assert all(torch.equal(value, fresh[name]) for name, value in layers.state_dict().items())


@pytest.mark.parametrize(
    "name", ["", "lenet", "lenet-0", "lenet-129", "resnet11-8", "lenet--8", "LENET-8", "lenet-8\n"]
)
def test_an_unknown_architecture_is_told_what_exists(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^student must be one of lenet-W, .*wrn40-W .*1 to 128; .* was given\.$"):
        parse_architecture(name, field="student")


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 7},
        {"size": 65},
        {"classes": 1},
        {"channels": 2, "mean": (0.0, 0.0), "std": (1.0, 1.0)},
        {"mean": (0.5, 0.5)},
        {"std": (0.0,)},
        {"std": (float("nan"),)},
        {"architecture": "alexnet-16"},
        {"extra": 1},
    ],
)
def test_a_spec_that_cannot_be_built_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ModelSpec.model_validate({**a_spec().model_dump(), **wrong})


def test_a_spec_survives_json() -> None:
    assert ModelSpec.model_validate_json(a_spec(channels=3).model_dump_json()) == a_spec(channels=3)


def test_the_weights_hold_no_normalization() -> None:
    assert not {"mean", "std"} & set(Classifier(a_spec()).state_dict())
