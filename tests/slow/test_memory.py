"""What runs really take, of the ready-made and of deep, wide and narrow students, beside what was counted."""

from __future__ import annotations

from typing import Any

import pytest

from nayer.config import Config
from nayer.networks.cards import teacher_cards
from nayer.presets import PRESETS
from nayer.runs.memory_use import resident, use_of
from tests.support.peak_memory import peak, shortened

CARDS = {card.name: card for card in teacher_cards()}
STUDENTS: list[dict[str, Any]] = [
    {"student": "wrn40-4"},  # deep: maps that the allocator keeps, and some that it gives back
    {"student": "resnet9-96"},
    {"student": "resnet34-16", "student_optimizer": "adam", "student_batch": 64},
    {"student": "lenet-128"},
]


@pytest.mark.slow
@pytest.mark.parametrize("preset", [name for name in PRESETS if not name.endswith("-paper")] + ["nayer-paper"])
def test_a_preset_takes_no_more_than_was_counted(preset: str) -> None:
    config = shortened(Config.parse({"teacher": "cifar10"}, PRESETS[preset].config))
    assert peak([config]) <= resident([use_of(config, CARDS["cifar10"])])


@pytest.mark.slow
@pytest.mark.parametrize("changes", STUDENTS, ids=lambda changes: str(changes["student"]))
def test_a_large_student_takes_between_half_and_all_of_what_was_counted(changes: dict[str, Any]) -> None:
    config = shortened(Config.parse({**changes, "teacher": "cifar10"}))
    counted = resident([use_of(config, CARDS["cifar10"])])
    assert counted / 2 <= peak([config]) <= counted


@pytest.mark.slow
def test_arms_that_take_turns_take_no_more_than_was_counted_together() -> None:
    configs = [shortened(Config.parse({"teacher": "fashion", "seed": seed})) for seed in range(4)]
    assert peak(configs) <= resident([use_of(config, CARDS["fashion"]) for config in configs])
