"""Diversity of images by the teacher's features: by class and over all, within a sample and between rounds.

A Vendi score and a nearest neighbor depend on how many images a class has: compare samples of equal counts only.
`baselines` makes such samples. Labels kept under crop, flip and noise, and the distance to BatchNorm statistics, need
the teacher itself and are not measured here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from nayer.analysis.similarity import (
    effective_rank,
    entropy,
    mean_cosine_distance,
    nearest_distances,
    unit_vectors,
    vendi_score,
)
from nayer.measures import DUPLICATE, AcrossRounds, Diversity
from nayer.types import Doubles, Ints


def measure(
    features: ArrayLike,
    labels: ArrayLike,
    teacher_labels: ArrayLike,
    classes: int,
    *,
    teacher_confidence: ArrayLike | None = None,
    student_labels: ArrayLike | None = None,
) -> Diversity:
    """The diversity of n images from their features (n, f) and, each (n,), the wanted and the predicted classes.

    `teacher_labels` and `teacher_confidence` are the argmax of the teacher's probabilities and its value. Raises
    DivergedError for features that are not finite. No images at all give zeros.
    """
    raw = np.asarray(features, dtype=np.float64)
    wanted, seen = np.asarray(labels, dtype=np.int64), np.asarray(teacher_labels, dtype=np.int64)
    unit = unit_vectors(raw)
    counts = np.bincount(wanted, minlength=classes)
    vendi, distance, nearest, duplicates = np.zeros((4, classes))
    for size, members, rows in _equal_sized(wanted, classes):
        group = unit[rows]  # (g, size, f)
        vendi[members] = vendi_score(group)
        if size > 1:
            apart = nearest_distances(group)  # (g, size)
            distance[members] = mean_cosine_distance(group)
            nearest[members] = apart.mean(axis=1)
            duplicates[members] = (apart <= 1 - DUPLICATE).mean(axis=1)
    label_accuracies = _class_means(wanted == seen, wanted, classes)
    confidence = None if teacher_confidence is None else _class_means(teacher_confidence, wanted, classes)
    disagreement = None if student_labels is None else _class_means(np.not_equal(student_labels, seen), wanted, classes)
    teacher_counts = np.bincount(seen, minlength=classes)
    teacher_entropy = float(entropy(teacher_counts))
    return Diversity(
        images=len(wanted),
        counts=counts,
        vendi=vendi,
        distance=distance,
        nearest=nearest,
        duplicates=duplicates,
        label_accuracies=label_accuracies,
        teacher_counts=teacher_counts,
        confidence=confidence,
        disagreement=disagreement,
        vendi_mean=_mean(vendi[counts > 0]),
        vendi_min=_least(vendi[counts > 0]),
        distance_mean=_mean(distance[counts > 1]),
        distance_min=_least(distance[counts > 1]),
        nearest_mean=_mean(nearest[counts > 1]),
        duplicate_share=_over_images(duplicates, counts),
        effective_rank=effective_rank(raw),
        teacher_entropy=teacher_entropy,
        teacher_entropy_share=float(teacher_entropy / np.log(classes)) if classes > 1 else 0.0,
        label_accuracy=_over_images(label_accuracies, counts),
        confidence_mean=None if confidence is None else _over_images(confidence, counts),
        disagreement_share=None if disagreement is None else _over_images(disagreement, counts),
    )


def between_rounds(features: ArrayLike, labels: ArrayLike, rounds: ArrayLike, classes: int) -> AcrossRounds | None:
    """Compares the images of the newest of `rounds` (n,) with all others: features (n, f), wanted labels (n,).

    None if no newest image has an image of its class in an earlier round. Makes one matrix (newest, earlier).
    """
    made = np.asarray(rounds, dtype=np.int64)
    order = np.argsort(made, kind="stable")
    made, wanted = made[order], np.asarray(labels, dtype=np.int64)[order]
    unit = unit_vectors(np.asarray(features, dtype=np.float64)[order])
    split = int((made < made.max(initial=0)).sum())
    (before, after), (old, new) = np.split(unit, [split]), np.split(wanted, [split])
    paired = np.isin(new, old)
    after, new = after[paired], new[paired]
    if not len(new):
        return None
    indicator = (old == np.arange(classes)[:, None]).astype(np.float64)  # (k, earlier)
    means = (indicator @ before) / np.maximum(indicator.sum(axis=1, keepdims=True), 1)  # (k, f)
    cosines = after @ before.T  # (newest, earlier)
    cosines[new[:, None] != old] = -np.inf
    _, starts = np.unique(made[:split], return_index=True)
    best = np.maximum.reduceat(cosines, starts, axis=1)  # (newest, rounds) −∞ if a round lacks the class
    there = np.isfinite(best)
    apart = np.where(there, np.clip(1 - best, 0, 2), 0.0)
    alike = there & (apart <= 1 - DUPLICATE)
    counts = np.bincount(new, minlength=classes)
    distance = _class_means(np.clip(1 - (after * means[new]).sum(axis=1), 0, 2), new, classes)
    nearest = _class_means(apart.sum(axis=1) / there.sum(axis=1), new, classes)
    repeats = _class_means(alike.sum(axis=1) / there.sum(axis=1), new, classes)
    return AcrossRounds(
        rounds=len(starts),
        counts=counts,
        distance=distance,
        nearest=nearest,
        repeats=repeats,
        distance_mean=_mean(distance[counts > 0]),
        nearest_mean=_mean(nearest[counts > 0]),
        repeat_share=_over_images(repeats, counts),
    )


def _equal_sized(labels: Ints, classes: int) -> Iterator[tuple[int, Ints, Ints]]:
    """Classes with equally many images, at least one, together: (size, classes (g,), their images (g, size))."""
    counts = np.bincount(labels, minlength=classes)
    order, ends = np.argsort(labels, kind="stable"), np.cumsum(counts)
    for size in np.unique(counts[counts > 0]):
        members = np.flatnonzero(counts == size)
        yield int(size), members, order[ends[members, None] - size + np.arange(size)]


def _class_means(values: ArrayLike, labels: Ints, classes: int) -> Doubles:
    """The mean of values (n,) over each class: (k,), 0 for a class without values."""
    sums = np.bincount(labels, weights=np.asarray(values, dtype=np.float64), minlength=classes)
    means: Doubles = sums / np.maximum(np.bincount(labels, minlength=classes), 1)
    return means


def _over_images(shares: Doubles, counts: Ints) -> float:
    return float((shares * counts).sum() / max(1, counts.sum()))


def _mean(values: Doubles) -> float:
    return float(values.mean()) if len(values) else 0.0


def _least(values: Doubles) -> float:
    return float(values.min()) if len(values) else 0.0
