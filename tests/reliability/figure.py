"""What a row of the table of figures is: how much was tried, what came of it, and whether that is the target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. `held`: whether the target is reached; whatever could not be tried counts as failed."""

    number: int  # of the row in the reference's table
    what: str
    target: str
    reached: str
    held: bool
