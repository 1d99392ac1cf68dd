"""Frozen teachers, checked before use: a shipped one, or a folder with config.json and model.safetensors."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from nayer.common.safetensors_io import read_tensors
from nayer.errors import AssetError
from nayer.networks.cards import (
    MAX_JUDGE_BYTES,
    TeacherCard,
    check_judge,
    judge_folder,
    read_card,
    read_part,
    teacher_folder,
)
from nayer.networks.classifiers import Classifier, build
from nayer.networks.specs import ModelSpec

MAX_WEIGHTS_BYTES = 256 << 20


@dataclass(frozen=True)
class Teacher:
    """`network` is in eval mode, and its weights get no gradients. It maps images (n, c, h, w) in [0, 1] to (n, k).

    `judge` names the samples of its runs and teaches nothing. If a judge exists but cannot be used, `judge_fault` says
    why.
    """

    card: TeacherCard
    network: nn.Module
    judge: Teacher | None = None
    judge_fault: str = ""


def load_teacher(name_or_folder: str) -> Teacher:
    """The teacher, with the judge of its folder or of its data set. Checks its hash, shapes and values first.

    Raises ConfigError if no teacher has that name. Raises AssetError with the teacher's name if it is damaged.
    """
    folder = teacher_folder(name_or_folder)
    return with_judge(_checked(folder, "teacher", MAX_WEIGHTS_BYTES), folder)


def with_judge(teacher: Teacher, folder: Path | None = None) -> Teacher:
    """The teacher with the judge in its `folder`. Otherwise with the shipped judge of its data set, if any."""
    place = judge_folder(teacher.card, folder)
    if place is None:
        return teacher
    try:
        judge = _checked(place, "judge", MAX_JUDGE_BYTES)
        check_judge(judge.card, teacher.card)
    except AssetError as error:
        return replace(teacher, judge_fault=str(error))
    return replace(teacher, judge=judge)


def _checked(folder: Path, what: str, limit: int) -> Teacher:
    card = read_card(folder, what)
    try:
        weights = read_part(folder / "model.safetensors", limit)
        if hashlib.sha256(weights).hexdigest() != card.sha256:
            raise AssetError("model.safetensors does not match the sha256 in config.json")
        return teacher_of(card, weights)
    except AssetError as error:
        raise AssetError(f"{what}={folder.name!r} cannot be used: {error}; restore its folder.") from None


def teacher_of(card: TeacherCard, weights: bytes) -> Teacher:
    """The teacher of a card, from its weights as safetensors.

    Raises AssetError before memory is used. The error names up to five tensors that do not fit the card.
    """
    return Teacher(card, _with_weights(card.model, weights).eval().requires_grad_(False))


def weights_of(network: nn.Module, about: dict[str, str] | None = None) -> bytes:
    """A network's weights as safetensors: every float tensor, without the batch counters of BatchNorm.

    `about` goes into the file's header.
    """
    return save({name: tensor.contiguous() for name, tensor in _float_state(network).items()}, about)


def _float_state(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in network.state_dict().items() if tensor.is_floating_point()}


def _with_weights(spec: ModelSpec, content: bytes) -> Classifier:
    """The network of `spec` with these weights. Checks names, shapes and types before it allocates memory."""
    with torch.device("meta"):
        wanted = _float_state(Classifier(spec))
    weights = read_tensors(content, wanted)
    network = build(spec)
    network.load_state_dict(weights, strict=False)  # the counters are missing, and eval mode does not read them
    with torch.no_grad():
        answer = network.eval()(torch.full((1, spec.channels, spec.size, spec.size), 0.5))
    if not torch.isfinite(answer).all():
        raise AssetError("its answer to a gray image is not finite")
    return network
