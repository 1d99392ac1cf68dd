"""Real distillation on the CPU, without a training image."""

import pytest

from nayer import presets
from nayer.config import Config
from nayer.events import Evaluated
from nayer.runs.run import open_run


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_digits_reach_nine_tenths_of_their_teacher(seed):
    values = {"teacher": "digits", "seed": seed, "rounds": 120, "device": "cpu"}
    config = Config.parse(values, presets.get("nayer").config)
    evaluations = [event for event in open_run(config).events() if isinstance(event, Evaluated)]
    last = evaluations[-1]
    assert last.accuracy >= 0.9 * last.teacher_accuracy
    assert evaluations[0].accuracy < 0.5  # it knew nothing at first
