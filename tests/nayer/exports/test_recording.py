"""A recording gives back what a later look at the run needs, and refuses what is none."""

import numpy as np
import pytest

from nayer.cli.main import main
from nayer.errors import StorageError
from nayer.events import Evaluated, GeneratorStep, LayerRedrawn, RoundSynthesized, RunFinished, RunStarted, StudentStep
from nayer.exports import recording
from tests.support.hostile import put_no_file
from tests.support.tiny import all_same, tiny_config, tiny_run, tiny_task


def taped(**changes):
    tape = recording.RecordingBuilder()
    events = list(tiny_run(tiny_task(tiny_config(**changes))))
    for event in events:
        tape.add(event)
    return events, tape.events


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def test_the_file_gives_back_what_was_taped():
    _, kept = taped()
    assert all_same(recording.read(recording.written(kept)), kept)


def test_measurements_and_ends_are_whole_and_a_round_has_one_image_a_class():
    events, kept = taped()
    for kind in (RunStarted, Evaluated, RunFinished):
        assert all_same(of(kind, kept), of(kind, events))
    for short, whole in zip(of(RoundSynthesized, kept), of(RoundSynthesized, events), strict=True):
        assert short.labels.tolist() == [0, 1, 2]
        for label in range(3):
            assert np.array_equal(short.images[label], whole.images[whole.labels == label][0])


def test_of_a_phase_a_few_steps_are_kept_the_last_among_them():
    events, kept = taped(generator_steps=40, student_steps=40, rounds=2, warmup_rounds=0)
    for kind in (GeneratorStep, StudentStep):
        rounds = {event.round for event in of(kind, events)}
        assert rounds
        for round_ in rounds:
            steps = [event.step for event in of(kind, kept) if event.round == round_]
            assert len(steps) == recording.STEPS
            assert steps[-1] == 39
    shown = [event.round for event in of(GeneratorStep, kept) if len(event.preview)]
    assert shown == [0, 1]  # what is being made, once a round
    assert len(of(GeneratorStep, events)) == 80


def test_the_map_of_a_layers_outputs_needs_no_more_dimensions_than_points():
    events, kept = taped()
    for short, whole in zip(of(LayerRedrawn, kept), of(LayerRedrawn, events), strict=True):
        given, left = whole.outputs[0], short.outputs[0]
        assert left.shape[1] <= 3
        apart = np.linalg.norm(given[:, None] - given[None], axis=2)
        np.testing.assert_allclose(np.linalg.norm(left[:, None] - left[None], axis=2), apart, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda content: b"GIF89a" + content, "not a recorded run of this version"),
        (lambda content: content[:-3], "incomplete or damaged"),
        (lambda content: content + b"\x01", "incomplete or damaged"),
        (lambda content: recording.MAGIC, "contains no run"),
        (lambda content: content[:60] + bytes(20) + content[80:], "damaged or of another version"),
        (lambda content: bytes(recording.LARGEST + 1), "at most 16,777,216 are read"),
    ],
)
def test_what_is_no_recording_is_refused_in_a_sentence(spoil, sentence):
    _, kept = taped(rounds=1)
    with pytest.raises(StorageError, match=sentence):
        recording.read(spoil(recording.written(kept)))


@pytest.mark.parametrize("kind", ["FIFO", "endless", "too large", "folder"])
def test_what_is_no_regular_file_of_a_recordings_size_is_refused_unread(kind, tmp_path):
    path = tmp_path / "run.nayer"
    put_no_file(path, kind)
    with pytest.raises(StorageError, match=r"^recording=.* cannot be read"):
        recording.load(path)


def test_the_command_line_records_as_it_goes(tmp_path):
    quick = "--rounds=2 --warmup-rounds=0 --generator-steps=2 --student-steps=2 --generator-width=2".split()  # noqa: SIM905
    file = tmp_path / "run.nayer"
    assert main(["distill", "--teacher", "digits", *quick, "--record", str(file)]) == 0
    events = recording.load(file)
    assert isinstance(events[0], RunStarted)
    assert len(of(RunFinished, events)) == 1
    assert len(of(RoundSynthesized, events)) == 2
    assert [student.learned for student in recording.students(events)] == [0, 1, 2]
    assert main(["distill", "--teacher", "digits", *quick, "--record", str(file / "run")]) == 1
