"""The time that a run takes, told before it begins: from work and steps, then from the pace of earlier runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.run_state.model import View
from app.runs.durations import REFERENCE, Durations, matrix_rate
from nayer import presets
from nayer.config import Config
from nayer.events import RunStarted
from nayer.networks.cards import TeacherCard, teacher_cards
from tests.support.scripted import SHORT, script

CARDS = {card.name: card for card in teacher_cards()}
SHOWN = presets.get("nayer-clear").config  # what the shipped recording shows


def card_of(config: Config) -> TeacherCard | None:
    return CARDS.get(config.teacher)


def estimate(config: Config, *runs: Any, rate: float = REFERENCE) -> float:
    return Durations(lambda: runs, lambda: rate).seconds(config, CARDS[config.teacher], card_of)


def ran(config: Config, seconds_per_round: float, rounds: int = 5) -> Any:
    """A run that has done these rounds at that pace."""
    started = next(event for event in script(SHORT) if isinstance(event, RunStarted))
    started = RunStarted(**{name: getattr(started, name) for name in started.__slots__} | _base(started, config))
    ends = tuple(seconds_per_round * (i + 1) for i in range(rounds))
    return SimpleNamespace(views=[View(started=started, ends=ends)], plan=SimpleNamespace(arms=(1,)))


def _base(started: RunStarted, config: Config) -> dict[str, Any]:
    return {"round": 0, "seconds": 0.0, "arm": 0, "config": config.model_dump(), "teacher": config.teacher}


def test_the_recorded_run_takes_on_the_reference_what_it_took() -> None:
    assert estimate(SHOWN) == pytest.approx(60.8, rel=0.15)  # the recording's own seconds


def test_half_the_speed_is_twice_the_time_and_rounds_count() -> None:
    assert estimate(SHOWN, rate=REFERENCE / 2) == pytest.approx(2 * estimate(SHOWN))
    assert estimate(SHOWN.model_copy(update={"rounds": 60})) == pytest.approx(2 * estimate(SHOWN))
    assert matrix_rate() > 0


def test_limits_of_work_and_of_seconds_shorten_it() -> None:
    whole = estimate(SHOWN)
    assert estimate(SHOWN.model_copy(update={"seconds": 10.0})) == 10.0
    assert estimate(SHOWN.model_copy(update={"work": 1.0})) < whole / 100
    assert estimate(SHOWN.model_copy(update={"work": 1e9})) == whole


def test_it_learns_from_the_pace_of_runs_and_only_from_settled_ones() -> None:
    assert estimate(SHOWN, ran(SHOWN, 10.0)) == pytest.approx(30 * 10.0)
    assert estimate(SHOWN, ran(SHOWN, 10.0, rounds=2)) == estimate(SHOWN)
    slow_clothes = SHOWN.model_copy(update={"teacher": "fashion"})
    assert estimate(SHOWN, ran(slow_clothes, 100.0)) > 2 * estimate(SHOWN)


def test_a_run_of_tiny_rounds_does_not_lengthen_the_estimate_of_a_long_one() -> None:
    tiny = SHOWN.model_copy(update={"teacher": "digits", "generator_steps": 3, "student_steps": 3})
    assert estimate(tiny, ran(tiny, 0.5)) == pytest.approx(30 * 0.5)
    assert estimate(SHOWN, ran(tiny, 0.5)) == estimate(SHOWN)
