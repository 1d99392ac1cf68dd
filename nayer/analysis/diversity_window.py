"""Stores the data of earlier rounds that the three scales of diversity need, in bounded memory.

Within a round nothing is kept: `diversity.measure` takes the round's own arrays. For the rounds of one generator it
keeps the newest few completely. For the pool it keeps a uniform random sample of the pool's images.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nayer.analysis.diversity import between_rounds, measure
from nayer.measures import AcrossRounds, Diversity
from nayer.types import Doubles, Floats, Ints


@dataclass(frozen=True, slots=True)
class ImageRows:
    """Images as rows; all arrays are (n,) except the features."""

    features: Floats  # (n, f) the teacher's penultimate ones
    labels: Ints  # wanted
    teacher_labels: Ints
    teacher_confidence: Floats  # 0..1
    rounds: Ints  # in which it was made

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, rows: Ints) -> ImageRows:
        """A copy of some rows."""
        return ImageRows(*(column[rows] for column in self._columns()))

    def then(self, newer: ImageRows) -> ImageRows:
        """These and, after them, the newer ones."""
        return ImageRows(*map(np.concatenate, zip(self._columns(), newer._columns(), strict=True)))

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return sum(column.nbytes for column in self._columns())

    def _columns(self) -> list[NDArray[Any]]:
        return [getattr(self, field.name) for field in dataclasses.fields(self)]


class DiversityWindow:
    """Remembers at most `images` images for the rounds of one generator and as many again for the pool.

    At f features an image takes 4·f + 28 bytes, and 16 more in the pool's sample: 1.1 MB in all at the default 1,000
    and f = 128, for any length of the run. The same seed and the same rounds give the same samples.
    """

    def __init__(
        self, classes: int, *, pool_capacity: int, images: int = 1000, window: int = 10, seed: int = 0
    ) -> None:
        """`window`: newest rounds compared with each other; fewer if `images` is reached earlier."""
        self.classes, self.window, self.images = classes, window, images
        self._rounds: list[ImageRows] = []  # of the present generator, the newest last
        self._pool = _PoolSample(pool_capacity, images, np.random.default_rng(seed))

    @property
    def nbytes(self) -> int:
        """Bytes of all that it remembers."""
        return sum(batch.nbytes for batch in self._rounds) + self._pool.nbytes

    def new_generator(self) -> None:
        """All its weights have new values, so earlier rounds belong to another generator. The pool keeps its images."""
        self._rounds.clear()

    def add(
        self,
        round_: int,
        features: ArrayLike,
        labels: ArrayLike,
        teacher_labels: ArrayLike,
        teacher_confidence: ArrayLike,
        *,
        pooled: int | None = None,
    ) -> None:
        """A round's images: features (n, f), the others (n,).

        `pooled` images of the round entered the pool; the given ones represent them. Default: the given ones; 0: none.
        If one round has more than `images` images, the first ones are kept.
        """
        wanted = np.asarray(labels, dtype=np.int64)
        batch = ImageRows(
            np.asarray(features, dtype=np.float32),
            wanted,
            np.asarray(teacher_labels, dtype=np.int64),
            np.asarray(teacher_confidence, dtype=np.float32),
            np.full(len(wanted), round_, dtype=np.int64),
        )
        self._pool.add(batch, len(batch) if pooled is None else pooled)
        self._rounds.append(batch.at(np.arange(min(len(batch), self.images))))
        while len(self._rounds) > self.window or sum(map(len, self._rounds)) > self.images:
            del self._rounds[0]

    def across(self) -> AcrossRounds | None:
        """Compares the newest round with earlier ones of the same generator; None if there is nothing to compare."""
        kept = self.window_rows()
        return None if kept is None else between_rounds(kept.features, kept.labels, kept.rounds, self.classes)

    def over_pool(self) -> Diversity | None:
        """The diversity of a sample of the pool, by the teacher's outputs; None if the pool is empty.

        It leaves out the student: the student's predictions from the time of an image are out of date.
        """
        kept = self.pool_rows()
        if kept is None:
            return None
        return measure(
            kept.features, kept.labels, kept.teacher_labels, self.classes, teacher_confidence=kept.teacher_confidence
        )

    def window_rows(self) -> ImageRows | None:
        """The remembered rounds of the present generator, the newest last."""
        kept: ImageRows | None = None
        for batch in self._rounds:
            kept = batch if kept is None else kept.then(batch)
        return kept

    def pool_rows(self) -> ImageRows | None:
        """The sample of the pool, the newest last."""
        return self._pool.kept if self._pool.kept is not None and len(self._pool.kept) else None


class _PoolSample:
    """A uniform sample, at most `bound` images, of the newest `capacity` that entered a pool.

    Every image draws a number in 0..1 and is kept while this is below a level. The level falls only when the sample
    would exceed `bound`. So an image's chance does not depend on its age or on later images. Images leave with
    the last of their round: the window is exact to one round.
    """

    def __init__(self, capacity: int, bound: int, rng: np.random.Generator) -> None:
        self.capacity, self.bound, self.rng = capacity, bound, rng
        self.entered = 0  # images that ever entered the pool
        self.level = 1.0
        self.kept: ImageRows | None = None
        self.draws: Doubles = np.empty(0)  # (n,)
        self.ends: Ints = np.empty(0, dtype=np.int64)  # (n,) `entered` after its round

    @property
    def nbytes(self) -> int:
        return (self.kept.nbytes if self.kept is not None else 0) + self.draws.nbytes + self.ends.nbytes

    def add(self, batch: ImageRows, pooled: int) -> None:
        """`batch` represents `pooled` images that enter the pool."""
        if pooled == 0 or not len(batch):
            return
        self.entered += pooled
        kept = batch if self.kept is None else self.kept.then(batch)
        draws = np.concatenate([self.draws, self.rng.random(len(batch))])
        ends = np.concatenate([self.ends, np.full(len(batch), self.entered)])
        stays = (draws < self.level) & (ends > self.entered - self.capacity)
        if stays.sum() > self.bound:
            self.level = float(np.partition(draws[stays], self.bound)[self.bound])
            stays &= draws < self.level
        rows = np.flatnonzero(stays)
        self.kept, self.draws, self.ends = kept.at(rows), draws[rows], ends[rows]
