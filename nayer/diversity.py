"""How different images are, in the teacher's eyes: class by class and over all, within a sample and between rounds.

A Vendi score and a nearest neighbour depend on how many images a class has: compare samples of equal counts only, as
`end_points` sees to. Labels kept under crop, flip and noise, and the distance to BatchNorm statistics, need the
teacher itself and are not measured here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nayer.arrays import Doubles, Ints
from nayer.cosines import (
    effective_rank,
    entropy,
    mean_cosine_distance,
    nearest_distances,
    unit_vectors,
    vendi_score,
)

# At 20 images a class, 0 % of Fashion-MNIST's and 2 % of digits' test images lie this near to another of their class.
DUPLICATE = 0.995  # cosine


@dataclass(frozen=True, slots=True)
class Diversity:
    """One sample of images, class by class (wanted labels, k of them) and over all; nothing is ever NaN.

    Where a class lacks what a measure needs, its entry is 0 and the mean over classes leaves it out: one image for
    `vendi` and the shares, two for `distance` and `nearest`. An image alone in its class is no duplicate. Shares are
    in 0..1; those over all are over images, not over classes.
    """

    images: int
    counts: Ints  # (k,) images of each class
    vendi: Doubles  # (k,) effective number of different images, 1..counts
    distance: Doubles  # (k,) mean cosine distance of two different images, 0..2
    nearest: Doubles  # (k,) mean cosine distance to the nearest other image, 0..2
    duplicates: Doubles  # (k,) share with another image at a cosine of DUPLICATE or more
    label_hits: Doubles  # (k,) share the teacher sees as the wanted label
    teacher_counts: Ints  # (k,) images the teacher sees as this class, whatever was wanted
    confidence: Doubles | None  # (k,) mean of the teacher's probability of its argmax; None when not given
    disagreement: Doubles | None  # (k,) share where student and teacher differ; None without a student

    vendi_mean: float
    vendi_min: float  # over the classes that have images
    distance_mean: float
    distance_min: float  # over the classes that have two
    nearest_mean: float
    duplicate_share: float
    effective_rank: float  # of the features of all images
    teacher_entropy: float  # nats, of `teacher_counts`
    teacher_entropy_share: float  # of log k
    label_hit: float
    confidence_mean: float | None
    disagreement_share: float | None


@dataclass(frozen=True, slots=True)
class AcrossRounds:
    """The newest round's images beside those of the same class in earlier rounds; entries without a pair are 0.

    `nearest` and `repeats` are taken for each earlier round by itself and then averaged, so they do not drift with the
    number of rounds remembered, and `nearest` can be laid beside `Diversity.nearest`, the same within a round.
    """

    rounds: int  # earlier rounds compared with
    counts: Ints  # (k,) newest images that have an earlier one of their class
    distance: Doubles  # (k,) mean cosine distance of a newest and an earlier image, 0..2
    nearest: Doubles  # (k,) mean cosine distance to an earlier round's nearest image: 0 where every round is the same
    repeats: Doubles  # (k,) share with an earlier round's image at a cosine of DUPLICATE or more

    distance_mean: float  # over the classes that have a pair, as is the next
    nearest_mean: float
    repeat_share: float  # over images


@dataclass(frozen=True, slots=True)
class Scales:
    """The same question at three scales: how different are the images of one label?"""

    within: Diversity  # a round's images
    across: AcrossRounds | None  # the round beside earlier ones of the same generator; None while there is none
    pool: Diversity | None  # a sample of all that is kept; None while nothing is


def measure(
    features: ArrayLike,
    labels: ArrayLike,
    teacher_labels: ArrayLike,
    classes: int,
    *,
    teacher_confidence: ArrayLike | None = None,
    student_labels: ArrayLike | None = None,
) -> Diversity:
    """The diversity of n images from their features (n, f) and, each (n,), what was wanted and what was seen.

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
    label_hits = _class_means(wanted == seen, wanted, classes)
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
        label_hits=label_hits,
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
        label_hit=_over_images(label_hits, counts),
        confidence_mean=None if confidence is None else _over_images(confidence, counts),
        disagreement_share=None if disagreement is None else _over_images(disagreement, counts),
    )


def between_rounds(features: ArrayLike, labels: ArrayLike, rounds: ArrayLike, classes: int) -> AcrossRounds | None:
    """The images of the newest of `rounds` (n,) beside all others: features (n, f), wanted labels (n,).

    None where no newest image has one of its class in an earlier round. Makes one matrix (newest, earlier).
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
    best = np.maximum.reduceat(cosines, starts, axis=1)  # (newest, rounds) −∞ where a round lacks the class
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
    """The mean of values (n,) over each class: (k,), 0 where there is none."""
    sums = np.bincount(labels, weights=np.asarray(values, dtype=np.float64), minlength=classes)
    means: Doubles = sums / np.maximum(np.bincount(labels, minlength=classes), 1)
    return means


def _over_images(shares: Doubles, counts: Ints) -> float:
    return float((shares * counts).sum() / max(1, counts.sum()))


def _mean(values: Doubles) -> float:
    return float(values.mean()) if len(values) else 0.0


def _least(values: Doubles) -> float:
    return float(values.min()) if len(values) else 0.0
