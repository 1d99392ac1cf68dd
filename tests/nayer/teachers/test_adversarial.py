"""Perturbed images: in closed form where the network is linear, within their bounds where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from nayer.cli.main import main
from nayer.data.test_sets import load_testset
from nayer.networks.cards import SHIPPED, TeacherCard, read_card
from nayer.networks.classifiers import build, initialize
from nayer.networks.specs import ModelSpec
from nayer.teachers.adversarial import perturbed, perturbed_accuracy
from nayer.teachers.fit import TrainingSchedule, fit
from nayer.teachers.load import load_teacher
from nayer.teachers.train import teach
from nayer.teachers.train_custom import CustomRecipe, teach_own

GRAY = ModelSpec(architecture="convnet4-2", channels=1, size=8, classes=3, mean=(0.4,), std=(0.3,))


def linear() -> nn.Sequential:
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
    initialize(network, torch.Generator().manual_seed(1))
    return network


def drawn(n: int = 12, channels: int = 1, side: int = 8) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(3)
    return torch.rand(n, channels, side, side, generator=rng), torch.randint(0, 3, (n,), generator=rng)


def learned(**changes: float) -> tuple[dict[str, Tensor], list[float]]:
    images, labels = drawn(40)
    told: list[float] = []
    schedule = TrainingSchedule(epochs=2, lr=0.1, batch=8, crop=1, mirror=True).changed(**changes)
    rng = torch.Generator().manual_seed(0)
    pixels = (images * 255).to(torch.uint8)
    network = fit(GRAY, pixels, labels, [schedule], rng, lambda epoch, network: told.append(epoch.loss))
    return network.state_dict(), told


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_against_logistic_regression_it_moves_by_epsilon_along_the_gradients_direction(steps: int) -> None:
    network = linear()
    images, labels = torch.full((2, 3, 4, 4), 0.5), torch.tensor([0, 1])
    toward_first = network[1].weight[0] - network[1].weight[1]  # the loss of label 1 grows along it, that of 0 against
    direction = (toward_first / toward_first.norm()).view(3, 4, 4).detach()
    expected = images + 0.3 * torch.stack([-direction, direction])
    torch.testing.assert_close(perturbed(network, images, labels, 0.3, steps), expected)


@pytest.mark.parametrize(("epsilon", "steps"), [(0.1, 1), (0.75, 2), (3.0, 5), (16.0, 2)])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_images_stay_in_the_ball_and_in_their_range_and_the_network_as_it_was(
    epsilon: float, steps: int, precision: str
) -> None:
    network = build(GRAY, torch.Generator().manual_seed(0)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images, labels = drawn()
    moved = perturbed(network, images, labels, epsilon, steps, precision)
    assert moved.dtype == torch.float32
    assert not moved.requires_grad
    assert (moved - images).flatten(1).norm(dim=1).max() <= epsilon * (1 + 1e-5)
    assert (moved - images).flatten(1).norm(dim=1).min() > 0.0
    assert moved.min() >= 0.0
    assert moved.max() <= 1.0
    assert network.training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_perturbed_image_is_one_the_network_is_less_sure_of() -> None:
    network = load_teacher("digits").network
    test = load_testset(read_card(SHIPPED / "digits"))
    assert test is not None
    images, labels = torch.from_numpy(test.images), torch.from_numpy(test.labels)
    shares = [perturbed_accuracy(network, images, labels, epsilon, 10) for epsilon in (0.0001, 0.5, 1.0)]
    assert shares[0] == pytest.approx(0.986, abs=0.002)
    assert shares[0] > shares[1] > shares[2]


def test_an_image_that_cannot_be_made_worse_stays_where_it_is() -> None:
    network = linear()
    with torch.no_grad():
        network[1].weight.zero_()
    images = torch.rand(2, 3, 4, 4)
    assert torch.equal(perturbed(network, images, torch.tensor([0, 1]), 0.5, 2), images)


def test_epsilon_0_is_plain_training_bit_for_bit_and_another_one_is_not() -> None:
    plain, losses = learned()
    still, same_losses = learned(robust=0.0, robust_steps=7)
    moved, other_losses = learned(robust=0.5)
    again, _ = learned(robust=0.5)
    assert losses == same_losses != other_losses
    assert all(torch.equal(value, still[name]) for name, value in plain.items())
    assert not torch.equal(plain["last.weight"], moved["last.weight"])
    assert all(torch.equal(value, again[name]) for name, value in moved.items())


def test_it_is_learned_in_bfloat16_too() -> None:
    _, losses = learned(robust=0.5, bfloat16=True)
    assert all(0.0 < loss < 10.0 for loss in losses)


def test_the_card_and_its_page_say_how_far_and_how_it_fares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--epochs", "8", "--robust", "0.4", "--robust-steps", "1", "--weight-decay", "1e-3"]
    assert main(["teach", "digits", "--out", str(tmp_path / "moved"), *words]) == 0
    card = read_card(tmp_path / "moved")
    assert card.robust is not None
    assert (card.robust.epsilon, card.robust.steps, card.robust.test_steps) == (0.4, 1, 10)
    assert card.test_accuracy is not None
    plain = perturbed_share("digits", card.robust.epsilon)
    assert plain < card.robust.accuracy < card.test_accuracy
    assert perturbed_share(str(tmp_path / "moved"), 0.4) == pytest.approx(card.robust.accuracy, abs=1e-4)
    assert card.command == (
        "python -m nayer teach digits --seed 0 --epochs 8 --weight-decay 0.001 --robust 0.4 --robust-steps 1"
    )
    page = (tmp_path / "moved" / "README.md").read_text("utf-8")
    assert f"| under perturbation | {card.robust.accuracy:.2%} of the same images, each perturbed by 10" in page
    assert "each image perturbed by 1 gradient step to an L2 distance of at most 0.4" in page
    assert f"{card.robust.accuracy:.2%} correct on these images after a perturbation of 0.4" in capsys.readouterr().out


def test_images_of_ones_own_are_learned_likewise(tmp_path: Path) -> None:
    for place, name in enumerate(("cat", "dog")):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(5):
            Image.new("L", (8, 8), 120 * place + number).save(tmp_path / "images" / name / f"{number}.png")
    recipe = CustomRecipe(epochs=1, robust=0.25, weight_decay=0.001)
    card = teach_own(str(tmp_path / "images"), tmp_path / "mine", recipe)
    assert card == read_card(tmp_path / "mine")
    assert card.robust is not None
    assert (card.robust.epsilon, card.robust.steps) == (0.25, 2)
    assert card.command == (
        "python -m nayer teach --data DATA --out FOLDER --seed 0 --epochs 1 --weight-decay 0.001 --robust 0.25"
    )


def perturbed_share(name: str, epsilon: float) -> float:
    test = load_testset(read_card(SHIPPED / "digits"))
    assert test is not None
    network = load_teacher(name).network
    return perturbed_accuracy(network, torch.from_numpy(test.images), torch.from_numpy(test.labels), epsilon, 10)


def test_a_card_from_before_reads_and_what_is_not_robust_is_written_as_before(tmp_path: Path) -> None:
    old = read_card(SHIPPED / "digits")
    assert old.robust is None
    teach("digits", tmp_path / "plain", epochs=1, robust=0.0)
    text = (tmp_path / "plain" / "config.json").read_text("utf-8")
    assert "robust" not in text.replace("--robust 0", "")
    assert TeacherCard.model_validate_json(text).command.endswith(" --robust 0")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--robust", "-1"], "robust must be a number from 0 to 16; '-1' was given."),
        (["--robust", "nan"], "robust must be a number from 0 to 16; 'nan' was given."),
        (["--robust", "far"], "robust must be a number from 0 to 16; 'far' was given."),
        (["--robust-steps", "0"], "robust-steps must be a whole number from 1 to 100; 0 was given."),
        (["--weight-decay", "2"], "weight-decay must be a number from 0 to 1; '2' was given."),
    ],
)
def test_what_cannot_be_is_one_sentence(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teach", "digits", *words]) == 2
    assert message in capsys.readouterr().err
