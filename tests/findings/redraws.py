"""Experiment C: what re-draws do to the pool, at equal rounds, and what the pool is then worth to a fresh student."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nayer.analysis.diversity import measure
from nayer.common.stopwatch import Stopwatch
from nayer.config import Config
from nayer.distillation.evaluation import predict, predict_with_features
from nayer.distillation.report import Report
from nayer.distillation.train import distill
from nayer.presets import get
from nayer.runs.run import Run, open_run
from nayer.teachers.find import find_teacher

EACH = 40  # confirmed images of a class that are compared
CONFIRMED = 1500  # confirmed images that a fresh student gets in the second comparison: as many in every arm
PUPIL_STEPS = 600  # of a fresh student on a frozen pool
SECOND_HALF = 0.5  # of the rounds: the images of the first ones show little


def frozen_pool(teacher: str, latent: str, every: int, seed: int, rounds: int) -> dict[str, Any]:
    """One run of `rounds` rounds with a re-draw `every` rounds (0: never), and what its pool is worth.

    Diversity is that of `EACH` images a class that the teacher assigns to the wanted class, in the features of the
    judge, a second network. `whole`: accuracy of a fresh student on the whole pool. `confirmed`: on equally many
    images that the teacher confirms.
    """
    began = time.process_time()
    run = open_run(_config(teacher, seed, latent=latent, rounds=rounds, noisy_reset_every=every))
    for _ in run.events():
        pass
    accuracy = _accuracy(run)
    pool = run.state.pool
    images, labels = pool.images[: len(pool)], pool.labels[: len(pool)]
    seen = predict(run.task.teacher, images)
    late = torch.arange(len(pool)) >= SECOND_HALF * len(pool)
    right = seen == labels
    rng = torch.Generator().manual_seed(seed)
    chosen = _some(labels, right, EACH, len(run.task.classes), rng)
    good = torch.nonzero(right)[:, 0]
    good = good[torch.randperm(len(good), generator=rng)[:CONFIRMED]]
    judge = find_teacher(teacher).judge
    assert judge is not None, f"{teacher} has no judge"
    told = {
        name: round(measure(by.features, labels[chosen], by.teacher_labels, len(run.task.classes)).vendi_mean, 4)
        for name, by in (
            ("vendi.judge", predict_with_features(judge.network, images[chosen])),
            ("vendi.teacher", predict_with_features(run.task.teacher, images[chosen])),
        )
    }
    return {
        "accuracy": accuracy,
        "hit": round(right[late].float().mean().item(), 4),
        "images": len(pool),
        "confirmed images": len(good),
        **told,
        "whole": _pupil(teacher, seed, images, labels),
        "confirmed": _pupil(teacher, seed, images[good], labels[good]),
        "seconds": round(time.process_time() - began, 1),
    }


def real_and_noise(teacher: str, seed: int) -> dict[str, Any]:
    """The end-points of the diversity: real test images and pure noise, as many, in the judge's features."""
    run = open_run(_config(teacher, seed, rounds=1))
    assert run.task.real is not None
    judge, rng = find_teacher(teacher).judge, torch.Generator().manual_seed(seed)
    assert judge is not None
    evaluator: Any = run.task.evaluator
    real, labels, classes = evaluator.images, evaluator.labels, len(run.task.classes)
    chosen = _some(labels, torch.ones_like(labels, dtype=torch.bool), EACH, classes, rng)
    noise = torch.randint(256, (len(chosen), *real.shape[1:]), generator=rng, dtype=torch.uint8)
    told = {}
    for name, images in (("real", real[chosen]), ("noise", noise)):
        by = predict_with_features(judge.network, images)
        told[name] = round(measure(by.features, labels[chosen], by.teacher_labels, classes).vendi_mean, 4)
    return told


def _config(teacher: str, seed: int, **changes: object) -> Config:
    values = {
        "teacher": teacher,
        "seed": seed,
        "device": "cpu",
        "generator_reset_every": 0,  # a rebuild would re-draw the noisy layer too
        "warmup_generator_reset_every": 0,
        "pool_capacity": 100_000,  # the whole run's images
        "evaluate_every": 10_000,
        "report_every": 10_000,
        **changes,
    }
    return Config.parse(values, get("nayer").config)


def _pupil(teacher: str, seed: int, images: Tensor, labels: Tensor) -> float | None:
    """The accuracy of a new student after `PUPIL_STEPS` steps on these images."""
    run = open_run(_config(teacher, 1000 + seed, rounds=1, warmup_rounds=0, student_steps=PUPIL_STEPS, event_every=100))
    run.state.pool.add(images, labels)
    for _ in distill(run.task, run.state, None, Report(run.task, run.state, Stopwatch())):
        pass
    return _accuracy(run)


def _accuracy(run: Run) -> float | None:
    assert run.task.evaluator is not None
    reached = run.task.evaluator(run.state.student).accuracy
    return None if reached is None else round(reached, 4)


def _some(labels: Tensor, right: Tensor, each: int, classes: int, rng: torch.Generator) -> Tensor:
    """`each` of the images (n,) of every class among the `right` ones, or as many as there are."""

    def picked() -> Iterator[Tensor]:
        for label in range(classes):
            members = torch.nonzero(right & (labels == label))[:, 0]
            yield members[torch.randperm(len(members), generator=rng)[:each]]

    return torch.from_numpy(np.concatenate([one.numpy() for one in picked()]))
