"""Every method teaches its student something on a real teacher, in half a minute each."""

import pytest

from nayer import presets
from nayer.config import Config
from nayer.events import Evaluated
from nayer.runs.run import open_run

SHRUNK = [name for name in presets.PRESETS if not name.endswith("-paper")]
CHANCE = 0.1  # ten classes


@pytest.mark.slow
@pytest.mark.parametrize("name", SHRUNK)
def test_every_preset_is_far_above_chance_on_digits(name):
    values = {"teacher": "digits", "seed": 0, "seconds": 30.0, "rounds": 100_000, "device": "cpu"}
    events = open_run(Config.parse(values, presets.get(name).config)).events()
    last = [event for event in events if isinstance(event, Evaluated)][-1]
    assert last.accuracy > 3 * CHANCE  # 500 images: chance would be 0.1 ± 0.013
