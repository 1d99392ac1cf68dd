"""From a config to a run: every preset finds what it needs and goes, and what it measures is real."""

import pytest

from nayer.config import Config
from nayer.events import Evaluated, GeneratorStep, RunFinished, RunStarted, StudentStep
from nayer.presets import PRESETS
from nayer.runs.run import open_run

BRIEF = {
    "teacher": "digits",
    "device": "cpu",
    "rounds": 2,
    "warmup_rounds": 0,
    "pool_from_round": 0,
    "student_every": 1,
    "generator_steps": 2,
    "student_steps": 2,
    "generator_width": 4,
    "synthesis_batch": 20,
    "student_batch": 16,
    "evaluate_every": 1,
}


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_runs_on_a_real_teacher(name):
    events = list(open_run(Config.parse(BRIEF, PRESETS[name].config)).events())
    started, evaluations = events[0], [event for event in events if isinstance(event, Evaluated)]
    assert isinstance(started, RunStarted)
    assert started.classes[:2] == ("zero", "one")
    assert started.embeddings.shape == (10, 384)
    learned = 2 if PRESETS[name].config.overlap else 4  # beside a generator, not before the pool has a round's images
    assert [len([e for e in events if isinstance(e, kind)]) for kind in (GeneratorStep, StudentStep)] == [4, learned]
    assert len(evaluations) == 3  # the first before the student has learned
    assert all(e.teacher_accuracy > 0.97 and 0.0 <= e.accuracy <= 1.0 and e.images == 500 for e in evaluations)
    assert isinstance(events[-1], RunFinished)


def test_a_generator_of_noise_alone_needs_no_encoder_for_new_names():
    config = Config.parse({**BRIEF, "encoder": "nobody/nothing"}, PRESETS["dafl"].config)
    assert open_run(config).table.latent == "one-hot"
