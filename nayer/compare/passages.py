"""The parts of a run's sittings: what a job of a comparison tells the process that collects its outcome."""

from __future__ import annotations

from dataclasses import dataclass

from nayer.events import Event


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a run's first sitting."""

    gigaflops: float
    threads: int
    machine: str


@dataclass(frozen=True, slots=True)
class Passage:
    """The events of about one round, each with the seconds of the run at that point."""

    events: tuple[tuple[Event, float], ...]
    spent: dict[str, float]  # seconds of each phase, of the whole run so far


@dataclass(frozen=True, slots=True)
class Failure:
    """The run failed, for a reason of its own."""

    message: str  # one sentence


@dataclass(frozen=True, slots=True)
class Kept:
    """The state between two rounds, for the next sitting."""

    checkpoint: bytes
    seconds: float
    spent: dict[str, float]
    measured: int  # finished rounds at the latest evaluation
