"""Trains a teacher from labelled images and writes its folder: the only module that reads training images."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from nayer.errors import AssetError, ConfigError, StorageError
from nayer.evaluation import predict
from nayer.fitting import Epoch, Recipe, fit
from nayer.lessons import Lesson, get
from nayer.models import Classifier, ModelSpec
from nayer.teachers import TeacherCard, weights_of
from nayer.testsets import load_testset


def teach(
    name: str,
    out: Path,
    *,
    folder: str = "",
    seed: int = 0,
    epochs: int = 0,
    on_epoch: Callable[[Epoch, Classifier], None] = lambda epoch, network: None,
) -> TeacherCard:
    """Trains the teacher of that lesson and writes config.json, model.safetensors and README.md into `out`.

    `epochs` above 0 trains one cycle that long instead of the lesson's own. The accuracy on the card is measured once,
    at the end, on the data's test images.
    """
    lesson = get(name)
    folder = folder or lesson.folder
    if lesson.needs_folder and not Path(folder or "\0missing").is_dir():
        raise ConfigError(f"data={folder[:200]!r} is no folder; name the one that holds {lesson.title}'s images.")
    cycles = (replace(lesson.cycles[0], epochs=epochs),) if epochs else lesson.cycles
    images, labels = (torch.from_numpy(array) for array in lesson.read(Path(folder)))
    spec = _spec(lesson, images)
    network = fit(spec, images, labels, cycles, torch.Generator().manual_seed(seed), on_epoch)
    weights = weights_of(network)
    card = TeacherCard(
        name=name,
        title=lesson.title,
        model=spec,
        student=spec.model_copy(update={"architecture": lesson.student}),
        classes=lesson.classes,
        mirror=lesson.cycles[0].mirror,
        testset=name,
        test_accuracy=0.0,
        data=lesson.data,
        licence=lesson.licence,
        seed=seed,
        command=_command(name, lesson, seed, epochs),
        sha256=hashlib.sha256(weights).hexdigest(),
    )
    test = load_testset(card, folder)
    if test is None:
        raise AssetError(f"data={folder!r} holds no test images; the card needs the accuracy on them.")
    hits = predict(network, torch.from_numpy(test.images)) == torch.from_numpy(test.labels)
    card = card.model_copy(update={"test_accuracy": round(hits.float().mean().item(), 4)})
    _write(out, card, weights, _readme(card, network, cycles, len(images), len(hits)))
    return card


def _spec(lesson: Lesson, images: torch.Tensor) -> ModelSpec:
    """The lesson's network for images (n, c, h, w) uint8, with their mean and standard deviation a channel."""
    pixels = images.transpose(0, 1).flatten(1)  # (c, n·h·w)
    std, mean = torch.std_mean(pixels.float() / 255.0, dim=1)
    return ModelSpec(
        architecture=lesson.model,
        channels=images.shape[1],
        size=images.shape[2],
        classes=len(lesson.classes),
        mean=tuple(round(value, 4) for value in mean.tolist()),
        std=tuple(round(value, 4) for value in std.tolist()),
    )


def _command(name: str, lesson: Lesson, seed: int, epochs: int) -> str:
    data = " --data FOLDER" if lesson.needs_folder and not lesson.folder else ""
    return f"python -m nayer teach {name}{data} --seed {seed}" + (f" --epochs {epochs}" if epochs else "")


def _readme(card: TeacherCard, network: Classifier, cycles: Sequence[Recipe], images: int, tests: int) -> str:
    """The card for people, a table in Markdown."""
    spec = card.model
    parameters = sum(parameter.numel() for parameter in network.parameters())
    rows = {
        "test accuracy": f"{card.test_accuracy:.2%} of {tests:,} test images, measured once, at the end",
        "network": f"`{spec.architecture}`, {parameters:,} parameters",
        "images": f"{spec.channels} × {spec.size} × {spec.size}",
        "its student": f"`{card.student.architecture}`",
        "data": card.data,
        "licence of the data": card.licence,
        "training": f"{images:,} images: " + "; then ".join(_in_words(recipe) for recipe in cycles),
        "seed": str(card.seed),
        "command": f"`{card.command}`",
        "SHA-256 of model.safetensors": f"`{card.sha256}`",
        "classes, in the order of the labels": ", ".join(card.classes),
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    return f"# Teacher: {card.title}\n\n| | |\n| --- | --- |\n{table}\n"


def _in_words(recipe: Recipe) -> str:
    parts = [
        f"{recipe.epochs} epochs in batches of {recipe.batch}",
        f"SGD with Nesterov momentum {recipe.momentum} and weight decay {recipe.weight_decay}",
        f"one-cycle learning rate up to {recipe.lr}",
    ]
    moves = [f"shifts of up to {recipe.crop} px"] if recipe.crop else []
    moves += ["mirroring"] if recipe.mirror else []
    parts += [" and ".join(moves)] if moves else []
    parts += [f"labels smoothed by {recipe.smoothing}"] if recipe.smoothing else []
    parts += ["convolutions in bfloat16"] if recipe.bfloat16 else []
    return ", ".join(parts)


def _write(out: Path, card: TeacherCard, weights: bytes, readme: str) -> None:
    """Each file whole or not at all; the card last, so that a folder with a card is complete."""
    files = {
        "model.safetensors": weights,
        "README.md": readme.encode(),
        "config.json": card.model_dump_json(indent=2).encode() + b"\n",
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            partial = out / f"{name}.partial"
            try:
                partial.write_bytes(content)
                os.replace(partial, out / name)
            finally:
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"out={str(out)!r} cannot be written ({error.strerror}); name a folder with space in it."
        ) from None
