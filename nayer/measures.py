"""The measures of diversity: their fields, shapes and units. `analysis.diversity` computes them."""

from __future__ import annotations

from dataclasses import dataclass

from nayer.types import Doubles, Ints

# With 20 test images per class, this share is this near to another image of the class: Fashion-MNIST 0 %, digits 2 %.
DUPLICATE = 0.995  # cosine


@dataclass(frozen=True, slots=True)
class Diversity:
    """One sample of images, class by class (wanted labels, k of them) and over all; nothing is ever NaN.

    `vendi` and the shares need one image in a class; `distance` and `nearest` need two. If a class has fewer, its
    entry is 0 and the mean over classes leaves it out. An image alone in its class is not a duplicate. Shares are
    in 0..1; the overall shares are over images, not over classes.
    """

    images: int
    counts: Ints  # (k,) images of each class
    vendi: Doubles  # (k,) effective number of different images, 1..counts
    distance: Doubles  # (k,) mean cosine distance of two different images, 0..2
    nearest: Doubles  # (k,) mean cosine distance to the nearest other image, 0..2
    duplicates: Doubles  # (k,) share with another image at a cosine of DUPLICATE or more
    label_accuracies: Doubles  # (k,) share that the teacher classifies as the wanted label
    teacher_counts: Ints  # (k,) images that the teacher classifies as this class, for any wanted label
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
    label_accuracy: float
    confidence_mean: float | None
    disagreement_share: float | None


@dataclass(frozen=True, slots=True)
class AcrossRounds:
    """Compares the newest round's images with earlier rounds' images of the same class; entries without a pair are 0.

    `nearest` and `repeats` are measured for each earlier round separately and then averaged. So they do not depend on
    the number of remembered rounds. `nearest` can be compared with `Diversity.nearest`, the same measure in one round.
    """

    rounds: int  # earlier rounds compared with
    counts: Ints  # (k,) newest images that have an earlier one of their class
    distance: Doubles  # (k,) mean cosine distance of a newest and an earlier image, 0..2
    nearest: Doubles  # (k,) mean cosine distance to an earlier round's nearest image: 0 if all rounds are the same
    repeats: Doubles  # (k,) share with an earlier round's image at a cosine of DUPLICATE or more

    distance_mean: float  # over the classes that have a pair, as is the next
    nearest_mean: float
    repeat_share: float  # over images


@dataclass(frozen=True, slots=True)
class Scales:
    """The same question at three scales: how different are the images of one label?"""

    within: Diversity  # a round's images
    across: AcrossRounds | None  # the round compared with earlier ones of the same generator; None if there is none
    pool: Diversity | None  # a sample of all kept images; None if there are none

    @property
    def means(self) -> tuple[float, float | None, float | None]:
        """The mean of each scale: Vendi score, distance to the nearest earlier image, Vendi score of the pool."""
        across = None if self.across is None else self.across.nearest_mean
        return self.within.vendi_mean, across, None if self.pool is None else self.pool.vendi_mean
