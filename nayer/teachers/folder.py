"""A teacher as files: config.json, model.safetensors, and a card for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from nayer.common.files import check_ours, write_together
from nayer.errors import AssetError, StorageError
from nayer.networks.cards import JUDGE, TeacherCard, read_card
from nayer.networks.classifiers import Classifier
from nayer.teachers.fit import TrainingSchedule

Kind = Literal["Teacher", "Judge"]
CARD, README, WEIGHTS = "config.json", "README.md", "model.safetensors"
HELD_OUT = "test-images.zip"  # the test images, if they were taken from the training images
FOR = "A second opinion: it classifies the images of a run. No run learns from it."


def readme(
    card: TeacherCard,
    network: Classifier,
    cycles: Sequence[TrainingSchedule],
    images: int,
    tests: int,
    kind: Kind = "Teacher",
) -> str:
    """The card for people, a table in Markdown."""
    spec = card.model
    parameters = sum(parameter.numel() for parameter in network.parameters())
    rows = {
        "test accuracy": f"{card.test_accuracy:.2%} of {tests:,} test images, measured once, at the end",
        **_robustness(card),
        "network": f"`{spec.architecture}`, {parameters:,} parameters",
        "images": f"{spec.channels} × {spec.size} × {spec.size}",
        **({"its student": f"`{card.student.architecture}`"} if kind == "Teacher" else {"what it is for": FOR}),
        "data": card.data,
        "license of the data": card.license,
        "training": f"{images:,} images: " + "; then ".join(_in_words(schedule) for schedule in cycles),
        "seed": str(card.seed),
        "command": f"`{card.command}`",
        "SHA-256 of model.safetensors": f"`{card.sha256}`",
        "classes, in the order of the labels": ", ".join(card.classes),
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    return f"# {kind}: {card.title}\n\n| | |\n| --- | --- |\n{table}\n"


def _robustness(card: TeacherCard) -> dict[str, str]:
    if card.robust is None:
        return {}
    robust = card.robust
    how = f"each perturbed by {robust.test_steps} gradient steps to an L2 distance of at most {robust.epsilon:g}"
    return {"under perturbation": f"{robust.accuracy:.2%} of the same images, {how}"}


def _in_words(schedule: TrainingSchedule) -> str:
    parts = [
        f"{schedule.epochs} epochs in batches of {schedule.batch}",
        f"SGD with Nesterov momentum {schedule.momentum} and weight decay {schedule.weight_decay}",
        f"one-cycle learning rate up to {schedule.lr}",
    ]
    moves = [f"shifts of up to {schedule.crop} px"] if schedule.crop else []
    moves += ["mirroring"] if schedule.mirror else []
    parts += [" and ".join(moves)] if moves else []
    parts += [f"labels smoothed by {schedule.smoothing}"] if schedule.smoothing else []
    if schedule.robust:
        steps = f"{schedule.robust_steps} gradient step{'s' if schedule.robust_steps > 1 else ''}"
        parts.append(f"each image perturbed by {steps} to an L2 distance of at most {schedule.robust:g}")
    parts += ["convolutions in bfloat16"] if schedule.bfloat16 else []
    return ", ".join(parts)


def check_teacher_folder(out: Path) -> None:
    """Raises StorageError if a teacher would replace other files in `out`, such as those of a run."""
    try:
        ours = bool(read_card(out))
    except AssetError:
        ours = (
            not (out / CARD).exists() and (out / WEIGHTS).exists()
        )  # a writing that was interrupted: the card is last
    check_ours("out", out, ours, (CARD, README, WEIGHTS), "a teacher")


def write_teacher(
    out: Path,
    card: TeacherCard,
    weights: bytes,
    readme: str,
    more: Mapping[str, bytes] | None = None,
    judge: tuple[TeacherCard, bytes, str] | None = None,
) -> None:
    """Writes all files of a teacher, and of its `judge` (card, weights, card for people), or none of them.

    The card is last: a folder with a card is complete. A judge and held-out images of a teacher that was in `out`
    before are removed: they do not belong to this one. Raises StorageError.
    """
    files = {out / name: content for name, content in (more or {}).items()}
    files |= _files(out / JUDGE, *judge) if judge else {}
    files |= _files(out, card, weights, readme)
    former = [out / CARD, out / HELD_OUT, *(out / JUDGE / name for name in (CARD, README, WEIGHTS))]
    try:
        write_together(files, former)
        if not judge and (out / JUDGE).is_dir() and not any((out / JUDGE).iterdir()):
            (out / JUDGE).rmdir()
    except (StorageError, OSError) as error:
        raise StorageError(f"out={str(out)!r} cannot be written: {error}") from None


def _files(folder: Path, card: TeacherCard, weights: bytes, readme: str) -> dict[Path, bytes]:
    return {
        folder / WEIGHTS: weights,
        folder / README: readme.encode(),
        folder / CARD: card.model_dump_json(indent=2, exclude_defaults=True).encode() + b"\n",
    }
