"""Trains a teacher from the user's own images. `data.custom_dataset` reads them."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from nayer.common.files import check_writable
from nayer.data.custom_dataset import OwnImages, find_pictures, read_own, readable
from nayer.data.image_decoding import suffix
from nayer.data.image_folders import Picture
from nayer.errors import ConfigError
from nayer.networks.cards import TeacherCard
from nayer.networks.classifiers import Classifier
from nayer.networks.specs import ModelSpec, parse_architecture
from nayer.teachers.fit import Epoch, TrainingSchedule, fit
from nayer.teachers.folder import HELD_OUT, readme, write_teacher
from nayer.teachers.judges import judge_architecture, judge_cycles, judge_rng
from nayer.teachers.load import weights_of
from nayer.teachers.train import accuracy, flags, robustness, spec_for

SMALL = 12  # px; for smaller images, half the channels are enough
STEPS = 1500  # approximate SGD steps; they give the number of epochs, within `EPOCHS`
EPOCHS = (5, 40)
BATCH = 64
SCHEDULE = ("weight_decay", "robust", "robust_steps")  # fields of a schedule that a recipe may give


@dataclass(frozen=True, slots=True)
class CustomRecipe:
    """The choices for training on the user's own images. An empty value or 0 is chosen from the images."""

    size: int = 0  # px
    gray: bool | None = None
    model: str = ""  # architectures
    student: str = ""
    mirror: bool = False  # whether a mirrored image keeps its class
    epochs: int = 0
    weight_decay: float | None = None
    robust: float | None = None  # ε; see `TrainingSchedule`
    robust_steps: int | None = None
    seed: int = 0
    judge: bool = False  # whether to train a second network too, which names the samples of the teacher's runs


def teach_own(
    data: str,
    out: Path,
    recipe: CustomRecipe | None = None,
    on_epoch: Callable[[Epoch, Classifier], None] = lambda epoch, network: None,
    bears: Callable[[ModelSpec, int, int], None] = lambda spec, batch, size: None,
) -> TeacherCard:
    """Trains a teacher on the images that `data` names and writes its folder; see `data.custom_dataset.find_pictures`.

    All errors in recipe, images or folder are reported before the training. If there are no separate test images, every
    fifth image of a class becomes one, and `test-images.zip` keeps them. `bears` gets the network, its batch and the
    images' bytes before the training, and may refuse them. Raises NayerError.
    """
    recipe = recipe or CustomRecipe()
    for field, architecture in (("model", recipe.model), ("student", recipe.student)):
        if architecture:
            parse_architecture(architecture, field=field)
    if re.fullmatch(r"\W*", out.name):
        raise ConfigError(f"out={str(out)!r} cannot be a teacher's folder; choose another folder.")
    own = read_own(find_pictures(data), size=recipe.size, gray=recipe.gray)
    check_writable(out)
    images, labels = (torch.from_numpy(array) for array in own.training)
    small = images.shape[-1] < SMALL
    spec = spec_for(recipe.model or ("lenet-8" if small else "lenet-16"), len(own.classes), images)
    student = recipe.student or ("lenet-4" if small else "lenet-8")
    schedule = _schedule(recipe, len(images), spec.size)
    bears(spec, schedule.batch, images.nbytes)
    second = None
    if recipe.judge:
        second = spec.model_copy(update={"architecture": judge_architecture(spec.architecture, spec.size)})
        bears(second, schedule.batch, images.nbytes)
    network = fit(spec, images, labels, [schedule], torch.Generator().manual_seed(recipe.seed), on_epoch)
    weights = weights_of(network)
    color = "gray" if spec.channels == 1 else "RGB"
    card = TeacherCard(
        name=re.sub(r"[^a-z0-9]+", "-", out.name.lower()).strip("-")[:64] or "own",
        title=readable(out.name)[:64],
        model=spec,
        student=spec.model_copy(update={"architecture": student}),
        classes=own.classes,
        judge=second,
        mirror=recipe.mirror,
        testset=None,
        test_accuracy=accuracy(network, *own.testing),
        robust=robustness(network, [schedule], *own.testing),
        data=f"{len(images):,} images of its owner, {color}, {spec.size} × {spec.size} pixels",
        license="its owner's",
        seed=recipe.seed,
        command=_command(recipe),
        sha256=hashlib.sha256(weights).hexdigest(),
    )
    more = {HELD_OUT: _packed(own.held_out)} if own.held_out else {}
    # Everything is trained before anything is written: a stop leaves no teacher whose card promises a judge.
    judge = None if second is None else _judge(card, second, schedule, own, on_epoch)
    write_teacher(out, card, weights, readme(card, network, [schedule], len(images), len(own.testing[1])), more, judge)
    return card


def _judge(
    teacher: TeacherCard,
    spec: ModelSpec,
    schedule: TrainingSchedule,
    own: OwnImages,
    on_epoch: Callable[[Epoch, Classifier], None],
) -> tuple[TeacherCard, bytes, str]:
    """Trains a judge on the teacher's images. Returns its card, its weights, and its card for people."""
    cycles = judge_cycles([schedule], spec)
    images, labels = (torch.from_numpy(array) for array in own.training)
    network = fit(spec, images, labels, cycles, judge_rng(teacher.seed), on_epoch)
    weights = weights_of(network)
    measured = {
        "test_accuracy": accuracy(network, *own.testing),
        "robust": robustness(network, cycles, *own.testing),
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    card = teacher.model_copy(update={"model": spec, "student": spec, "judge": None, **measured})
    return card, weights, readme(card, network, cycles, len(images), len(own.testing[1]), "Judge")


def _schedule(recipe: CustomRecipe, images: int, size: int) -> TrainingSchedule:
    least, most = EPOCHS
    epochs = recipe.epochs or min(most, max(least, round(STEPS * BATCH / images)))
    usual = TrainingSchedule(
        epochs=epochs, lr=0.1, batch=BATCH, smoothing=0.0, crop=max(1, size // 8), mirror=recipe.mirror
    )
    return usual.changed(**{name: getattr(recipe, name) for name in SCHEDULE})


def _command(recipe: CustomRecipe) -> str:
    """The command line that trains it again. It leaves out the path of the images, which is private."""
    chosen = {name: getattr(recipe, name) or None for name in ("size", "model", "student", "epochs")}
    chosen |= {name: getattr(recipe, name) for name in SCHEDULE}
    chosen |= {} if recipe.gray is None else {"color": "gray" if recipe.gray else "rgb"}
    more = (" --mirror" if recipe.mirror else "") + (" --judge" if recipe.judge else "")
    return f"python -m nayer teach --data DATA --out FOLDER{flags({'seed': recipe.seed, **chosen})}{more}"


def _packed(pictures: Sequence[Picture]) -> bytes:
    """A zip archive with one folder for each class. The same pictures give the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, picture in enumerate(pictures):
            member = zipfile.ZipInfo(f"test/{readable(picture.label)}/{number:05d}{suffix(picture.data)}")
            archive.writestr(member, picture.data)
    return content.getvalue()
