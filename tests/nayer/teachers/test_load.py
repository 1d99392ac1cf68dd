"""A teacher is checked before it is used: whatever is wrong with its folder, one sentence names it."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from nayer.data.test_sets import load_testset
from nayer.distillation.evaluation import predict
from nayer.errors import AssetError, ConfigError
from nayer.networks.cards import SHIPPED, student_spec, teacher_cards
from nayer.networks.classifiers import build
from nayer.teachers.load import load_teacher, weights_of

Weights = dict[str, Tensor]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped digits teacher."""
    return Path(shutil.copytree(SHIPPED / "digits", tmp_path / "mine"))


def rewrite(folder: Path, content: bytes) -> str:
    """Puts `content` in the place of the weights, with a card that vouches for it."""
    (folder / "model.safetensors").write_bytes(content)
    edit_card(folder, sha256=hashlib.sha256(content).hexdigest())
    return str(folder)


def edit_card(folder: Path, **changes: object) -> None:
    card = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**card, **changes}), "utf-8")


def framed(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


@pytest.mark.parametrize("card", teacher_cards(), ids=lambda card: card.name)
def test_a_shipped_teacher_is_as_good_as_its_card_says(card) -> None:  # type: ignore[no-untyped-def]
    teacher = load_teacher(card.name)
    if card.testset == "cifar10":
        return  # its test images are not part of the project
    test = load_testset(card)
    assert test is not None
    hits = predict(teacher.network, torch.from_numpy(test.images)).numpy() == test.labels
    assert abs(float(np.mean(hits)) - card.test_accuracy) <= 0.015


def test_the_shipped_teachers_reach_what_they_were_made_for() -> None:
    wanted = {
        "digits": 0.97,
        "fashion": 0.92,
        "cifar10": 0.88,
        "cifar10-robust": 0.71,
        "emoji10": 0.945,
        "emoji10-plain": 0.94,
        "emoji100": 0.87,
        "mnist": 0.985,
    }
    cards = {card.name: card for card in teacher_cards()}
    assert set(wanted) == set(cards)
    for name, accuracy in wanted.items():
        assert cards[name].test_accuracy >= accuracy
        assert (SHIPPED / name / "model.safetensors").stat().st_size < 2_000_000
        students, teachers = (
            sum(p.numel() for p in build(spec).parameters()) for spec in (cards[name].student, cards[name].model)
        )
        assert students < teachers


def test_a_teacher_is_frozen_and_the_same_by_name_and_by_folder(folder: Path) -> None:
    by_name, by_folder = load_teacher("digits"), load_teacher(str(folder))
    images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert not any(module.training for module in by_name.network.modules())
    assert not any(parameter.requires_grad for parameter in by_name.network.parameters())
    assert torch.equal(by_name.network(images), by_folder.network(images))
    assert by_name.card == by_folder.card


def test_weights_survive_the_file(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    assert weights_of(load_teacher(str(folder)).network) == content


@pytest.mark.parametrize("name", ["nobody", "", "../digits", "a\0b", "x" * 5000, "digits/"])
def test_an_unknown_name_is_told_who_exists(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^teacher=.* does not exist; use digits, .* a folder with config\.json"):
        load_teacher(name)


@pytest.mark.parametrize("place", [0, 7, 8, 200, -1])
def test_a_flipped_byte_is_refused_by_its_hash(folder: Path, place: int) -> None:
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[place] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(
        AssetError, match=r"^teacher='mine' cannot be used: model\.safetensors does not match the sha256"
    ):
        load_teacher(str(folder))


def not_a_number(weights: Weights) -> None:
    weights["last.weight"][0, 0] = float("nan")


def infinite(weights: Weights) -> None:
    weights["last.bias"][0] = float("inf")


def overflowing(weights: Weights) -> None:
    for name in ("body.0.weight", "body.4.weight", "last.weight"):
        weights[name].fill_(9e17)


def immense(weights: Weights) -> None:
    weights["last.bias"][0] = 1e38


def negative_variance(weights: Weights) -> None:
    weights["body.1.running_var"][0] = -1.0


def wrong_shape(weights: Weights) -> None:
    weights["last.weight"] = weights["last.weight"][:9].clone()


def half_precision(weights: Weights) -> None:
    weights["last.bias"] = weights["last.bias"].double()


def missing(weights: Weights) -> None:
    del weights["last.bias"]


def one_too_many(weights: Weights) -> None:
    weights["extra"] = torch.zeros(1)


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (not_a_number, r"last\.weight is not finite"),
        (infinite, r"last\.bias is not finite"),
        (overflowing, r"its answer to a gray image is not finite"),
        (immense, r"last\.bias contains values beyond 1e\+18"),
        (negative_variance, r"body\.1\.running_var is negative"),
        (wrong_shape, r"last\.weight has the shape \[9, 64\], expected \[10, 64\]"),
        (half_precision, r"last\.bias has the type F64, expected F32"),
        (missing, r"last\.bias is missing"),
        (one_too_many, r"'extra' is not expected"),
    ],
)
def test_weights_that_cannot_be_right_are_refused(folder: Path, damage: Callable[[Weights], None], what: str) -> None:
    weights = load((folder / "model.safetensors").read_bytes())
    damage(weights)
    with pytest.raises(AssetError, match=rf"^teacher='mine' cannot be used: .*{what}.*; restore its folder\.$"):
        load_teacher(rewrite(folder, save(weights)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04pickle",
        struct.pack("<Q", 2**63) + b"{}",
        framed(b"{}" + b" " * (2 << 20)),
        framed(b"[1, 2]"),
        framed(b'{"a": 1}'),
        framed(b'{"a": {}, "a": {}}'),
        framed(b"[" * 100_000),
        framed(b"\xff\xfe"),
    ],
    ids=["empty", "pickle", "huge header", "padded header", "list", "number", "twice", "deep", "no text"],
)
def test_what_is_no_safetensors_file_is_refused(folder: Path, content: bytes) -> None:
    with pytest.raises(
        AssetError, match=r"^teacher='mine' cannot be used: model\.safetensors is not a safetensors file;"
    ):
        load_teacher(rewrite(folder, content))


def test_a_file_cut_anywhere_is_refused(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    for part in range(16):
        with pytest.raises(AssetError, match=r"^teacher='mine' cannot be used: model\.safetensors "):
            load_teacher(rewrite(folder, content[: len(content) * part // 16]))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"classes": ["zero"] * 10}, r"class name 2, 'zero', appears already"),
        ({"classes": ["zero", "one"]}, r"classes has 2 names"),
        ({"classes": [*"abcdefghi", "x" * 65]}, r"class name 10, .* has 65 characters"),
        ({"classes": [*"abcdefghi", "x\ny"]}, r"class name 10, .* contains control characters"),
        ({"test_accuracy": 1.5}, r"test_accuracy"),
        ({"sha256": "0"}, r"sha256"),
        ({"mirror": 1}, r"mirror"),
        ({"surprise": 1}, r"surprise"),
        ({"model": {}}, r"model"),
    ],
)
def test_a_card_that_cannot_be_right_is_refused(folder: Path, changes: dict[str, object], field: str) -> None:
    edit_card(folder, **changes)
    with pytest.raises(AssetError, match=rf"^teacher='mine' cannot be used: config\.json is wrong at .*{field}"):
        load_teacher(str(folder))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(AssetError, match=rf"^teacher='mine' cannot be used: {name} cannot be read"):
        load_teacher(str(folder))


def test_a_card_that_is_no_json_is_refused(folder: Path) -> None:
    (folder / "config.json").write_bytes(b"\xff{")
    with pytest.raises(AssetError, match=r"^teacher='mine' cannot be used: config\.json is wrong at the file"):
        load_teacher(str(folder))


def test_the_student_is_the_cards_or_any_other_for_the_same_images() -> None:
    card = load_teacher("digits").card
    assert student_spec(card) == card.student
    other = student_spec(card, "resnet8-2")
    assert other == card.model.model_copy(update={"architecture": "resnet8-2"})
    with pytest.raises(ConfigError, match=r"^student must be one of .*'vgg' was given"):
        student_spec(card, "vgg")
