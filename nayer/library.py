"""For other programs, such as a notebook: trains a student from a classifier in memory or from a named teacher.

The package offers these names as `nayer.distill` and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from nayer.config import Config
from nayer.errors import ConfigError
from nayer.events import Event
from nayer.exports import run_folder
from nayer.exports.metrics_table import Record
from nayer.networks.cards import teacher_cards
from nayer.networks.classifiers import Classifier
from nayer.networks.external import OwnNetwork, tried
from nayer.presets import PRESETS, get
from nayer.runs.run import Run, open_run
from nayer.teachers.from_module import STUDENT
from nayer.teachers.from_module import own_teacher as own_teacher


@dataclass(frozen=True)
class Distilled:
    """What `distill` returns.

    >>> result = nayer.distill("digits", rounds=1, warmup_rounds=0, generator_steps=2, student_steps=2)
    >>> result.student.training, sorted(result.metrics)
    (False, ['accuracy', 'agreement', 'rounds', 'seconds', 'teacher_accuracy'])
    >>> [path.name for path in result.save(folder)]
    ['student.safetensors', 'student.py', 'config.json', 'run.yaml', 'metrics.csv', 'samples.png']
    """

    student: nn.Module  # in eval mode; images (n, c, h, w) from 0 to 1 → logits (n, k)
    metrics: dict[str, float | None]  # shares from 0 to 1, None if not measured; rounds; seconds
    run: Run
    record: Record  # `rows` has the metrics of each round

    def save(self, folder: str | Path) -> list[Path]:
        """Writes the files of `distill --out` without the checkpoint, and returns their paths.

        Raises ConfigError for a student of your own, which the files could not build again, and StorageError.
        """
        if not isinstance(self.student, Classifier):
            raise ConfigError("student is a module of your own; save its state_dict yourself.")
        config = self.run.task.config
        return run_folder.export(Path(folder), config, self.student.spec, self.student, self.record)


def distill(
    teacher: nn.Module | str,
    classes: Sequence[str] = (),
    *,
    size: int = 0,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    student: str | nn.Module = "",
    mirror: bool = True,
    resize_to: int | None = None,
    preset: str = next(iter(PRESETS)),
    on_event: Callable[[Event], object] | None = None,
    **settings: object,
) -> Distilled:
    """Trains a student without any training image, and returns it with its metrics.

    `teacher` is a classifier in memory, with `classes`, `size`, `mean` and `std` as in `own_teacher`; or the name of a
    teacher as in `named_run`, which has these itself. `student` is a module, the name of an architecture, or empty for
    a small network. `settings` are fields of `Config`; they replace values of `preset`. `on_event` gets each event;
    `own_run(...).events()` is the iterator for who wants more. Raises NayerError in one sentence.

    >>> from torch import nn
    >>> layers = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    >>> teacher = nn.Sequential(*layers, nn.Linear(8, 2))
    >>> few = {"rounds": 2, "warmup_rounds": 1, "generator_steps": 2, "student_steps": 2, "synthesis_batch": 40}
    >>> looks = {"size": 16, "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
    >>> result = nayer.distill(teacher, ["cat", "dog"], **looks, **few)
    >>> result.metrics["rounds"], 0 <= result.metrics["agreement"] <= 1
    (2, True)
    """
    if isinstance(teacher, nn.Module):
        if not (classes and size and mean and std):
            missing = next(
                name
                for name, value in (("classes", classes), ("size", size), ("mean", mean), ("std", std))
                if not value
            )
            raise ConfigError(f"{missing} is missing; a classifier in memory needs classes, size, mean and std.")
        run = own_run(
            teacher,
            classes,
            size=size,
            mean=mean,
            std=std,
            student=student or STUDENT,
            mirror=mirror,
            resize_to=resize_to,
            preset=preset,
            **settings,
        )
    else:
        if classes or size or mean or std or resize_to or not mirror:
            raise ConfigError(
                f"teacher={teacher[:60]!r} has its own classes and images; leave out classes, size, mean, std, mirror "
                "and resize_to."
            )
        if isinstance(student, nn.Module):
            raise ConfigError("student must be the name of an architecture if the teacher is a name; use own_run.")
        run = named_run(teacher, preset=preset, **({"student": student} if student else {}), **settings)
    record = Record()
    for event in run.events():
        record.add(event)
        if on_event is not None:
            on_event(event)
    return Distilled(run.student.eval(), _metrics(record), run, record)


def _metrics(record: Record) -> dict[str, float | None]:
    found = record.evaluated
    return {
        "accuracy": found.accuracy if found else None,
        "teacher_accuracy": found.teacher_accuracy if found else None,
        "agreement": found.agreement if found else None,
        "rounds": len(record.rows),
        "seconds": record.last.seconds if record.last else 0.0,
    }


def own_run(
    network: nn.Module,
    classes: Sequence[str],
    *,
    size: int,
    mean: Sequence[float],
    std: Sequence[float],
    student: str | nn.Module = STUDENT,
    mirror: bool = True,
    resize_to: int | None = None,
    preset: str = "nayer",
    **settings: object,
) -> Run:
    """A run that distills `network`: iterate over `run.events()`, then take `run.student`.

    The arguments are those of `own_teacher`. `settings` are fields of `Config`; they replace values of `preset`.
    `student` is a module or the name of an architecture. A module is trained in place; its images are normalized like
    the teacher's.

    >>> from torch import nn
    >>> teacher = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    >>> run = nayer.own_run(teacher, ["cat", "dog"], size=8, mean=[0.5], std=[0.25], rounds=1, generator_steps=2)
    >>> [type(event).__name__ for event in run.events()][0]
    'RunStarted'
    """
    named = student if isinstance(student, str) else STUDENT
    teacher = own_teacher(
        network, classes, size=size, mean=mean, std=std, student=named, mirror=mirror, resize_to=resize_to
    )
    config = Config.parse({"teacher": teacher.card.name, **settings}, base=get(preset).config)
    if isinstance(student, str):
        return open_run(config, teacher=teacher)
    spec = teacher.card.model
    learner = tried(OwnNetwork(student, spec.mean, spec.std), spec.classes, spec.channels, size)
    return open_run(config, teacher=teacher, student=learner.train().requires_grad_(True))


def named_run(teacher: str, *, preset: str = "nayer", **settings: object) -> Run:
    """A run whose teacher is shipped, is in a folder, or is on the Hub as `owner/name`; see `teachers.find`.

    `settings` are fields of `Config`; they replace values of `preset`. Raises NayerError in one sentence.

    >>> run = nayer.named_run("digits", preset="dfq", seed=3)
    >>> run.card.name, run.task.config.seed
    ('digits', 3)
    """
    return open_run(Config.parse({"teacher": teacher, **settings}, base=get(preset).config))


def list_teachers() -> list[str]:
    """The names of the teachers that come with the package, smallest images first.

    >>> nayer.list_teachers()[:2]
    ['digits', 'fashion']
    """
    return [card.name for card in teacher_cards()]


def list_presets() -> list[str]:
    """The names of the presets; `nayer.presets.get(name)` has a title, a paper and a config.

    >>> nayer.list_presets()[:2], nayer.presets.get("dfq").title
    (['nayer', 'nayer-paper'], 'DFQ, small version for two cores')
    """
    return list(PRESETS)


def load_student(folder: str | Path) -> Classifier:
    """The student in a folder that `--out` or `Distilled.save` wrote, in eval mode. Raises StorageError.

    >>> result = nayer.distill("digits", rounds=1, warmup_rounds=0, generator_steps=2, student_steps=2)
    >>> _ = result.save(folder)
    >>> nayer.load_student(folder).spec.architecture == result.student.spec.architecture
    True
    """
    return run_folder.load_student(Path(folder))
