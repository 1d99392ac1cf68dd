"""The parts that a run of a comparison sends to the process that collects its outcome."""

from __future__ import annotations

from dataclasses import dataclass

from nayer.events import Event


@dataclass(frozen=True, slots=True)
class StartPart:
    """The first part of a run: the speed and the name of the machine on which it starts."""

    gigaflops: float
    threads: int
    machine: str


@dataclass(frozen=True, slots=True)
class RoundPart:
    """The events of about one round, each with the seconds of the run at that point."""

    events: tuple[tuple[Event, float], ...]
    spent: dict[str, float]  # seconds of each phase, of the whole run so far


@dataclass(frozen=True, slots=True)
class FailurePart:
    """The run failed, and not because of its machine."""

    message: str  # one sentence


@dataclass(frozen=True, slots=True)
class SavedState:
    """The state between two rounds, from which a run continues."""

    checkpoint: bytes
    seconds: float
    spent: dict[str, float]
    measured: int  # finished rounds at the latest evaluation
