"""The measures of diversity: their fields, shapes and units. `analysis.diversity` computes them."""

from __future__ import annotations

from dataclasses import dataclass

from nayer.types import Doubles, Ints

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
