"""Two baselines for a score of diversity: real test images and pure noise, measured in the same way as the sample.

A Vendi score grows with the number of images and a nearest neighbor comes nearer, so an end-point takes exactly as
many images of each class as the sample has, laid out over rounds as the sample's are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nayer.analysis.diversity import between_rounds, measure
from nayer.measures import AcrossRounds, Diversity
from nayer.types import Floats, Ints


@dataclass(frozen=True, slots=True)
class TeacherOutputs:
    """Images as the teacher sees them."""

    features: Floats  # (n, f) the teacher's penultimate ones
    labels: Ints | None  # (n,) their true classes; None for noise, which has no class
    teacher_labels: Ints  # (n,) the teacher's argmax
    teacher_confidence: Floats  # (n,) 0..1


def end_point(
    wanted: ArrayLike,
    features: ArrayLike,
    labels: ArrayLike | None,
    teacher_labels: ArrayLike,
    classes: int,
    *,
    teacher_confidence: ArrayLike | None = None,
    student_labels: ArrayLike | None = None,
    seed: int = 0,
) -> Diversity:
    """The diversity of images that replace a sample with the labels `wanted` (m,); see `replacements`.

    Features (n, f); the others (n,) as `measure` takes them. Noise has no `labels`: each image takes the wanted label
    of the image that it replaces, so its label accuracy is the share that chance gives.
    """
    places, picks = replacements(wanted, len(np.asarray(features)), labels, seed)
    return measure(
        np.asarray(features)[picks],
        np.asarray(wanted, dtype=np.int64)[places],
        np.asarray(teacher_labels)[picks],
        classes,
        teacher_confidence=None if teacher_confidence is None else np.asarray(teacher_confidence)[picks],
        student_labels=None if student_labels is None else np.asarray(student_labels)[picks],
    )


def end_point_across(
    wanted: ArrayLike, rounds: ArrayLike, features: ArrayLike, labels: ArrayLike | None, classes: int, *, seed: int = 0
) -> AcrossRounds | None:
    """`between_rounds` of images that replace a sample with labels `wanted` and `rounds` (m,): none repeats."""
    places, picks = replacements(wanted, len(np.asarray(features)), labels, seed)
    return between_rounds(
        np.asarray(features)[picks],
        np.asarray(wanted, dtype=np.int64)[places],
        np.asarray(rounds, dtype=np.int64)[places],
        classes,
    )


def replacements(wanted: ArrayLike, n: int, labels: ArrayLike | None, seed: int = 0) -> tuple[Ints, Ints]:
    """Which of n images replaces which wanted image: (places in `wanted`, picks among the n), both (p ≤ m,).

    It draws by `seed` without replacement, from the wanted class if `labels` (n,) give it. Without labels (noise) it
    takes any image. If a class has too few images, the remaining wanted images, chosen at random, are left out.
    """
    rng = np.random.default_rng(seed)
    asked: Ints = np.asarray(wanted, dtype=np.int64)
    offered: Ints = np.zeros(n, dtype=np.int64) if labels is None else np.asarray(labels, dtype=np.int64)
    if labels is None:
        asked = np.zeros_like(asked)
    places: list[Ints] = [np.empty(0, dtype=np.int64)]
    picks: list[Ints] = [np.empty(0, dtype=np.int64)]
    for label in np.unique(asked):
        askers = rng.permutation(np.flatnonzero(asked == label))
        offers = rng.permutation(np.flatnonzero(offered == label))
        both = min(len(askers), len(offers))
        places.append(askers[:both])
        picks.append(offers[:both])
    return np.concatenate(places), np.concatenate(picks)
