"""Teaching: a short training works, the folder it leaves is a teacher, and the same seed gives the same one."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
import torch

from nayer.cli.teach import add_teach_arguments, teach_command
from nayer.config import Config
from nayer.data.readers import read_digits
from nayer.errors import ConfigError, StorageError
from nayer.networks.cards import read_card
from nayer.networks.classifiers import Classifier
from nayer.networks.specs import ModelSpec
from nayer.teachers.fit import Epoch, TrainingSchedule, fit
from nayer.teachers.load import load_teacher
from nayer.teachers.recipes import RECIPES
from nayer.teachers.train import teach

GRAY = ModelSpec(architecture="lenet-2", channels=1, size=8, classes=2, mean=(0.0,), std=(1.0,))


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_teach_arguments(parser)
    return parser.parse_args(list(words))


def a_fit(
    seed: int, *, images: int = 30, batch: int = 8, epochs: int = 2
) -> tuple[dict[str, torch.Tensor], list[Epoch]]:
    rng = torch.Generator().manual_seed(5)
    pixels = torch.randint(0, 256, (images, 1, 8, 8), generator=rng, dtype=torch.uint8)
    labels = torch.randint(0, 2, (images,), generator=rng)
    told: list[Epoch] = []
    schedule = TrainingSchedule(epochs=epochs, lr=0.1, batch=batch, crop=1, mirror=True)
    draws = torch.Generator().manual_seed(seed)
    network = fit(GRAY, pixels, labels, [schedule], draws, lambda epoch, network: told.append(epoch))
    return network.state_dict(), told


def test_a_short_training_on_digits_beats_90_percent_and_leaves_a_teacher(tmp_path: Path) -> None:
    told: list[int] = []
    card = teach("digits", tmp_path / "new", epochs=8, on_epoch=lambda epoch, network: told.append(epoch.epoch))
    assert card.test_accuracy > 0.9
    assert told == list(range(1, 9))
    teacher = load_teacher(str(tmp_path / "new"))
    assert teacher.card == card == read_card(tmp_path / "new")
    assert card.command == "python -m nayer teach digits --seed 0 --epochs 8"
    readme = (tmp_path / "new" / "README.md").read_text("utf-8")
    for fact in (f"{card.test_accuracy:.2%}", card.command, card.sha256, card.data, card.license, "| 0 |"):
        assert fact in readme
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]


def test_the_same_seed_gives_the_same_network_and_the_global_generator_plays_no_part() -> None:
    one, _ = a_fit(0)
    torch.rand(3)
    before = torch.get_rng_state()
    same, _ = a_fit(0)
    assert torch.equal(torch.get_rng_state(), before)
    other, _ = a_fit(1)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["last.weight"], other["last.weight"])


def test_a_batch_larger_than_the_data_takes_all_of_it() -> None:
    _, told = a_fit(0, images=5, batch=64, epochs=3)
    assert [epoch.epoch for epoch in told] == [1, 2, 3]
    assert all(0 < epoch.loss < 10 for epoch in told)


def test_cycles_go_on_where_the_last_one_ended() -> None:
    pixels = torch.randint(0, 256, (16, 1, 8, 8), generator=torch.Generator().manual_seed(5), dtype=torch.uint8)
    labels = torch.arange(16) % 2
    told: list[Epoch] = []
    weights: list[torch.Tensor] = []

    def tell(epoch: Epoch, network: Classifier) -> None:
        told.append(epoch)
        weights.append(network.last.weight.detach().clone())

    still = TrainingSchedule(epochs=2, lr=1e-30, batch=8)
    learning = TrainingSchedule(epochs=3, lr=0.1, batch=8)
    fit(GRAY, pixels, labels, [learning, still], torch.Generator().manual_seed(0), tell)
    assert [(epoch.epoch, epoch.epochs) for epoch in told] == [(n, 5) for n in range(1, 6)]
    assert not torch.equal(weights[1], weights[2])
    torch.testing.assert_close(weights[4], weights[2])


def test_two_kinds_of_pictures_are_told_apart() -> None:
    labels = torch.arange(64) % 2
    pixels = torch.zeros(64, 1, 8, 8, dtype=torch.uint8)
    pixels[labels == 1, :, :4] = 255  # bright above, dark below: mirroring keeps it
    schedule = TrainingSchedule(epochs=6, lr=0.05, batch=16, mirror=True, smoothing=0.0)
    network = fit(GRAY, pixels, labels, [schedule], torch.Generator().manual_seed(0))
    assert not network.training
    assert torch.equal(network(pixels.float() / 255).argmax(1), labels)


def test_every_recipe_names_its_classes_and_a_smaller_student() -> None:
    for name, recipe in RECIPES.items():
        assert len(set(recipe.classes)) == len(recipe.classes) >= 2, name
        teacher, student = (int(text.split("-")[1]) for text in (recipe.model, recipe.student))
        assert student * 2 <= teacher, name
    _, labels = read_digits()
    assert set(labels.tolist()) == set(range(len(RECIPES["digits"].classes)))


@pytest.mark.parametrize("name", ["emoji10", "emoji100"])
def test_emoji_are_learned_with_the_shifts_that_synthesis_makes(name: str) -> None:
    assert {schedule.crop for schedule in RECIPES[name].cycles} == {round(32 * Config().crop_share)}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], r"^name must be one of digits, fashion, .*; 'nothing' was given\.$"),
        (["cifar10"], r"^data='' is not a folder; name the folder with CIFAR-10's images\.$"),
        (["cifar10", "--data", "missing"], r"^data='missing' is not a folder"),
        (["digits", "--seed", "-1"], r"^seed must be a whole number from 0 to 2,147,483,647; -1 was given\.$"),
        (["digits", "--epochs", "10001"], r"^epochs must be a whole number from 0 to 10,000; 10001 was given"),
    ],
)
def test_what_cannot_be_taught_is_refused_in_one_sentence(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        teach_command(parsed(*words))


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match=r"^out=.*file.* cannot be written"):
        teach("digits", tmp_path / "file", epochs=1)


def test_the_command_tells_each_epoch_and_the_accuracy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert teach_command(parsed("digits", "--out", str(tmp_path / "new"), "--epochs", "2")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.match(r"epoch 1 of 2: loss \d\.\d{3}, about \d+ s left$", lines[0])
    assert re.match(r"\d\d\.\d\d% correct on test images; the teacher is saved in ", lines[2])
