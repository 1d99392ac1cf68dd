"""The events at which slow motion waits: each part of a round, and a few of the many steps of a phase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nayer.events import Evaluated, Event, GeneratorStep, LayerRedrawn, RoundSynthesized, StudentStep

STEPS = 5  # about this many steps of a phase; the others pass at full speed
_PARTS = (LayerRedrawn, RoundSynthesized, Evaluated)


def waits_at(event: Event) -> bool:
    """Whether slow motion waits after this event: a part of a round, or one of the steps from the first to the last."""
    if isinstance(event, (GeneratorStep, StudentStep)):
        return event.step in _steps(event.steps)
    return isinstance(event, _PARTS)


def waits_in_round(config: Mapping[str, Any]) -> int:
    """The number of waits in a round in which the student learns. `config`: the settings of the run, by name."""
    return len(_PARTS) + len(_steps(int(config["generator_steps"]))) + len(_steps(int(config["student_steps"])))


def _steps(count: int) -> set[int]:
    """The steps of a phase that are shown: about STEPS of them in equal distances, and the last."""
    return {*range(0, count, max(1, count // STEPS)), count - 1}
