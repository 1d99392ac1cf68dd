"""Trains a teacher from labeled images and writes its folder: the only module that reads training images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nayer.data.test_sets import load_testset
from nayer.distillation.evaluation import predict
from nayer.errors import AssetError, ConfigError
from nayer.networks.cards import Robustness, TeacherCard
from nayer.networks.classifiers import Classifier
from nayer.networks.specs import ModelSpec, parse_architecture
from nayer.teachers.adversarial import perturbed_accuracy
from nayer.teachers.fit import Epoch, TrainingSchedule, fit
from nayer.teachers.folder import Kind, readme, write_teacher
from nayer.teachers.judges import judge_architecture, judge_cycles, judge_rng
from nayer.teachers.load import weights_of
from nayer.teachers.recipes import DatasetRecipe, get

TEST_STEPS = 10  # gradient steps that perturb a test image


def teach(
    name: str,
    out: Path,
    *,
    folder: str = "",
    seed: int = 0,
    epochs: int = 0,
    model: str = "",
    student: str = "",
    weight_decay: float | None = None,
    robust: float | None = None,
    robust_steps: int | None = None,
    judge: bool = False,
    on_epoch: Callable[[Epoch, Classifier], None] = lambda epoch, network: None,
    bears: Callable[[ModelSpec, int, int], None] = lambda spec, batch, size: None,
) -> TeacherCard:
    """Trains the teacher of that recipe and writes config.json, model.safetensors and README.md into `out`.

    With `judge` it trains the judge of that data set: another network from another seed, which names samples; see
    `judges`. `epochs` above 0 trains one cycle of that length instead of the recipe's cycles. `model` and `student`
    replace the networks of the recipe. `weight_decay`, `robust` and `robust_steps` replace the values of its schedule.
    `bears` gets the network, its batch and the images' bytes before the training, and may refuse them. The accuracies
    on the card are measured once, at the end, on the data's test images.
    """
    recipe = get(name)
    folder = folder or recipe.folder
    if recipe.needs_folder and not Path(folder or "\0missing").is_dir():
        raise ConfigError(f"data={folder[:200]!r} is not a folder; name the folder with {recipe.title}'s images.")
    for field, architecture in (("model", model), ("student", student)):
        if architecture:
            parse_architecture(architecture, field=field)
    images, labels = (torch.from_numpy(array) for array in recipe.read(Path(folder)))
    usual = recipe.judge or judge_architecture(recipe.model, images.shape[2]) if judge else recipe.model
    spec = spec_for(model or usual, len(recipe.classes), images)
    cycles = recipe.judge_cycles or judge_cycles(recipe.cycles, spec) if judge else recipe.cycles
    cycles = (replace(cycles[0], epochs=epochs),) if epochs else cycles
    given = {"weight_decay": weight_decay, "robust": robust, "robust_steps": robust_steps}
    cycles = tuple(cycle.changed(**given) for cycle in cycles)
    bears(spec, max(cycle.batch for cycle in cycles), images.nbytes)
    rng = judge_rng(seed) if judge else torch.Generator().manual_seed(seed)
    network = fit(spec, images, labels, cycles, rng, on_epoch)
    weights = weights_of(network)
    chosen: dict[str, object] = {"epochs": epochs or None, "model": model or None, "student": student or None}
    card = TeacherCard(
        name=name,
        title=recipe.title,
        model=spec,
        student=spec.model_copy(update={"architecture": usual if judge else student or recipe.student}),
        classes=recipe.classes,
        mirror=recipe.cycles[0].mirror,
        testset=name,
        test_accuracy=0.0,
        data=recipe.data,
        license=recipe.license,
        seed=seed,
        command=_command(name, recipe, seed, {**chosen, **given}, judge=judge),
        sha256=hashlib.sha256(weights).hexdigest(),
    )
    test = load_testset(card, folder)
    if test is None:
        raise AssetError(f"data={folder!r} contains no test images; the card needs the accuracy on them.")
    measured = {
        "test_accuracy": accuracy(network, test.images, test.labels),
        "robust": robustness(network, cycles, test.images, test.labels),
    }
    card = card.model_copy(update=measured)
    kind: Kind = "Judge" if judge else "Teacher"
    write_teacher(out, card, weights, readme(card, network, cycles, len(images), len(test.labels), kind))
    return card


def spec_for(architecture: str, classes: int, images: torch.Tensor) -> ModelSpec:
    """A network for images (n, c, h, w) uint8, with their mean and standard deviation for each channel."""
    pixels = images.transpose(0, 1).flatten(1)  # (c, n·h·w)
    std, mean = torch.std_mean(pixels.float() / 255.0, dim=1)
    return ModelSpec(
        architecture=architecture,
        channels=images.shape[1],
        size=images.shape[2],
        classes=classes,
        mean=tuple(round(value, 4) for value in mean.tolist()),
        std=tuple(max(1e-3, round(value, 4)) for value in std.tolist()),
    )


def accuracy(network: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    """The share of images (n, c, h, w) that the network classifies correctly, 0..1."""
    hits = predict(network, torch.from_numpy(images)) == torch.from_numpy(labels)
    return round(hits.float().mean().item(), 4)


def robustness(
    network: nn.Module, cycles: Sequence[TrainingSchedule], images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> Robustness | None:
    """The network's accuracy on perturbed images (n, c, h, w), if it learned from perturbed images."""
    strongest = max(cycles, key=lambda cycle: cycle.robust)
    if not strongest.robust:
        return None
    seen, wanted = torch.from_numpy(images), torch.from_numpy(labels)
    right = perturbed_accuracy(network, seen, wanted, strongest.robust, TEST_STEPS)
    return Robustness(
        epsilon=strongest.robust, steps=strongest.robust_steps, accuracy=round(right, 4), test_steps=TEST_STEPS
    )


def flags(chosen: Mapping[str, object]) -> str:
    """The chosen values as flags of the command line: ` --weight-decay 0.001 …`. A value of None gives no flag."""
    written = {name.replace("_", "-"): value for name, value in chosen.items() if value is not None}
    return "".join(
        f" --{name} {value:g}" if isinstance(value, float) else f" --{name} {value}" for name, value in written.items()
    )


def _command(name: str, recipe: DatasetRecipe, seed: int, chosen: Mapping[str, object], *, judge: bool) -> str:
    data = " --data FOLDER" if recipe.needs_folder and not recipe.folder else ""
    kind = " --judge" if judge else ""
    return f"python -m nayer teach {name}{data}{flags({'seed': seed, **chosen})}{kind}"
