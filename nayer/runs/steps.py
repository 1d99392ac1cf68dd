"""Which events are a step that can be asked for, and which are a part of a round that slow motion lingers on."""

from __future__ import annotations

from typing import Literal

from nayer.events import (
    Evaluated,
    Event,
    GeneratorStep,
    LayerRedrawn,
    RoundFinished,
    RoundSynthesised,
    StudentStep,
)

StepKind = Literal["redraw", "generator", "student", "round"]
STEPS: dict[StepKind, type[Event]] = {
    "redraw": LayerRedrawn,
    "generator": GeneratorStep,
    "student": StudentStep,
    "round": RoundFinished,
}
PACED = (LayerRedrawn, GeneratorStep, RoundSynthesised, StudentStep, Evaluated)
