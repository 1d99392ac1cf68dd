"""Every method teaches its student something on a real teacher, with the same work. The controls teach less."""

import pytest

from nayer import presets
from nayer.config import Config
from nayer.events import Evaluated
from nayer.runs.run import open_run

SHRUNK = [name for name in presets.PRESETS if not name.endswith("-paper")]
CONTROLS = {"untrained", "noise"}
WORK = 150.0  # 10⁹ multiply-adds
CHANCE = 0.1  # ten classes; of 500 images ± 0.013


@pytest.mark.slow
@pytest.mark.parametrize("name", SHRUNK)
def test_every_preset_is_above_chance_on_digits(name):
    values = {"teacher": "digits", "seed": 0, "work": WORK, "rounds": 100_000, "device": "cpu"}
    events = open_run(Config.parse(values, presets.get(name).config)).events()
    last = [event for event in events if isinstance(event, Evaluated)][-1]
    assert last.accuracy > (1.5 if name in CONTROLS else 2.0) * CHANCE
