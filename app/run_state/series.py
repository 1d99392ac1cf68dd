"""A curve that only grows, thinned when it gets long; readers ask for the points since their last look."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 1200  # points a curve keeps; more than a chart has pixels


@dataclass(frozen=True, slots=True)
class Point:
    """One moment of a curve: `seq` is when it became known, `x` is in rounds, a missing value is None."""

    seq: int
    x: float
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one chart, oldest first."""

    points: tuple[Point, ...] = ()
    thinned: int = 0  # the `seq` at which old points were last dropped, 0 for never

    def add(self, point: Point) -> Series:
        """The series with one more point. When there are too many, every second point of the older half is dropped."""
        points = (*self.points, point)
        if len(points) <= LONGEST:
            return Series(points, self.thinned)
        half = len(points) // 2
        return Series(points[:half:2] + points[half:], point.seq)

    def since(self, seq: int) -> tuple[bool, list[list[float | None]]]:
        """(whether this replaces what the reader has, rows of [x, *values] newer than `seq`)."""
        replace = self.thinned > seq
        return replace, [[p.x, *p.values] for p in self.points if replace or p.seq > seq]
