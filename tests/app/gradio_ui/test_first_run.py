"""Play does what the recording shows: same teacher, same preset, same start."""

from __future__ import annotations

import gradio as gr

from app.environment import RECORDING
from app.gradio_ui.settings_form import Form
from nayer import presets
from nayer.config import Config
from nayer.events import Evaluated, RunStarted
from nayer.exports import recording
from nayer.exports.reproduce import known
from nayer.networks.cards import teacher_cards
from tests.support.serving import in_a_loop

EVENTS = recording.load(RECORDING)


def _drawn() -> Form:
    with gr.Blocks():
        return Form(teacher_cards(), local=True)


def test_play_starts_the_run_that_the_recording_shows() -> None:
    form = in_a_loop(_drawn)
    preset, values = form.values([one.value for one in form.inputs])
    started = next(event for event in EVENTS if isinstance(event, RunStarted))
    assert Config.parse(values, base=presets.get(preset).config) == known(started.config)


def test_the_recorded_student_has_learned_within_ten_seconds() -> None:
    measured = [event for event in EVENTS if isinstance(event, Evaluated)]
    start = measured[0].accuracy
    assert start is not None
    assert max(event.accuracy or 0.0 for event in measured if event.seconds <= 10.0) > start + 0.2
