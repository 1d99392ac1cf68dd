"""Measures each round's images at three scales, and also pure noise and real test images in their place.

A meter follows one run from outside: it draws nothing from the run's random numbers and changes nothing. It is not
part of a checkpoint, so the scales that use earlier rounds start empty in a resumed run.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from nayer.analysis.baselines import TeacherOutputs, end_point, end_point_across
from nayer.analysis.diversity import measure
from nayer.analysis.diversity_window import DiversityWindow
from nayer.distillation.augmentation import crop_and_flip
from nayer.distillation.evaluation import predict_with_features
from nayer.distillation.task import Task
from nayer.events import RoundSynthesized
from nayer.measures import Diversity, Scales
from nayer.types import Ints

NOISE_IMAGES = 500  # the end-point's stock
MILD_NOISE = 0.05  # standard deviation, of the full range


class DiversityMeter:
    """It measures each round that is shown; `task.real` is the end-point of real images, if there are any."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._memory = DiversityWindow(
            len(task.classes), pool_capacity=task.config.pool_capacity, seed=task.config.seed
        )
        self._noise: TeacherOutputs | None = None
        self._layout: tuple[object, ...] = ()
        self._end_points: tuple[Scales, Scales | None] | None = None

    def new_generator(self) -> None:
        """All weights of the generator have new values."""
        self._memory.new_generator()

    def measure(self, batch: RoundSynthesized, pooled: int) -> tuple[Scales, Scales, Scales | None]:
        """(the samples, noise, real images) after a round of which `pooled` images entered the pool."""
        memory, k = self._memory, len(self._task.classes)
        memory.add(
            batch.round, batch.features, batch.labels, batch.teacher_labels, batch.teacher_confidence, pooled=pooled
        )
        within = measure(
            batch.features,
            batch.labels,
            batch.teacher_labels,
            k,
            teacher_confidence=batch.teacher_confidence,
            student_labels=batch.student_labels,
        )
        samples = Scales(within, memory.across(), memory.over_pool())
        layout = _layout(samples)
        if self._end_points is None or layout != self._layout:
            self._layout, self._end_points = layout, self._measure_end_points(batch.labels)
        return samples, *self._end_points

    def _measure_end_points(self, newest: Ints) -> tuple[Scales, Scales | None]:
        if self._noise is None:
            self._noise = _noise(self._task)
        real = None if self._task.real is None else self._in_place(self._task.real(), newest)
        return self._in_place(self._noise, newest), real

    def _in_place(self, seen: TeacherOutputs, newest: Ints) -> Scales:
        """The same three scales for images in the same layout as the remembered images."""
        k, window, pool = len(self._task.classes), self._memory.window_rows(), self._memory.pool_rows()
        return Scales(
            _in_place_of(newest, seen, k),
            None if window is None else end_point_across(window.labels, window.rounds, seen.features, seen.labels, k),
            None if pool is None else _in_place_of(pool.labels, seen, k),
        )


def labels_kept(task: Task, batch: RoundSynthesized) -> float:
    """The share of a round's images whose class the teacher keeps under a crop, a mirroring and mild noise."""
    rng = torch.Generator().manual_seed(batch.round)
    images = torch.from_numpy(batch.images).to(task.device).float() / 255.0  # (n, c, h, w)
    moved = crop_and_flip(images, task.padding, task.flip, rng)
    moved = moved + MILD_NOISE * torch.randn(moved.shape, generator=rng).to(task.device)
    with torch.no_grad():
        seen = task.teacher(moved.clamp(0.0, 1.0)).argmax(dim=1).cpu().numpy()
    return float((seen == batch.teacher_labels).mean())


def _layout(samples: Scales) -> tuple[object, ...]:
    """The sizes that decide an end-point's scores: images and rounds; a pool's size to within a twentieth."""
    across, pool = samples.across, samples.pool
    return (
        tuple(samples.within.counts),
        (across.rounds, tuple(across.counts)) if across else None,
        round(math.log(pool.images, 1.05)) if pool else None,
    )


def _in_place_of(wanted: Ints, seen: TeacherOutputs, classes: int) -> Diversity:
    return end_point(
        wanted,
        seen.features,
        seen.labels,
        seen.teacher_labels,
        classes,
        teacher_confidence=seen.teacher_confidence,
    )


def _noise(task: Task) -> TeacherOutputs:
    levels = np.random.default_rng(0).integers(0, 256, (NOISE_IMAGES, *task.image_shape), dtype=np.uint8)
    return predict_with_features(task.teacher, torch.from_numpy(levels).to(task.device))
