"""Save, load, continue equals never having stopped; a failed write leaves the last good checkpoint."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from nayer.errors import StorageError
from nayer.events import DiversityMeasured, Event, RoundFinished, RunStarted
from nayer.runs import checkpoints
from tests.support.tiny import all_same, tiny_config, tiny_run, tiny_state, tiny_task


def _without_memory(event: Event) -> object:
    """What a diversity meter says without its memory of earlier rounds, which a checkpoint does not hold."""
    return event.samples.within if isinstance(event, DiversityMeasured) else event


@pytest.mark.parametrize("changes", [{}, {"generator_adam": "kept"}, {"meta_lr": 0.01}, {"student_optimizer": "adam"}])
@pytest.mark.parametrize("saved_after", [0, 1, 2])
def test_save_load_continue_equals_uninterrupted(tmp_path, saved_after, changes):
    config = tiny_config(rounds=5, **changes)
    task = tiny_task(config)
    straight = list(tiny_run(task))

    state = tiny_state(task)
    before = []
    for event in tiny_run(task, state):
        before.append(event)
        if isinstance(event, RoundFinished) and event.round == saved_after:
            checkpoints.save(config, state, tmp_path)
            break

    assert checkpoints.load_config(tmp_path) == config
    resumed = tiny_state(task)
    checkpoints.load_state(tmp_path, resumed)
    assert resumed.seconds == state.seconds
    after = [event for event in tiny_run(task, resumed) if not isinstance(event, RunStarted)]
    notes = 1  # said again when a run is taken up
    assert all_same(*([_without_memory(event) for event in events] for events in (before + after[notes:], straight)))


def test_damage_is_found_and_said(tmp_path):
    with pytest.raises(StorageError, match="holds no checkpoint"):
        checkpoints.load_config(tmp_path)
    task = tiny_task()
    path = checkpoints.save(task.config, tiny_state(task), tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StorageError, match="damaged"):
        checkpoints.load_config(tmp_path)
    path.write_bytes(whole)
    other = tiny_task(tiny_config(noisy_width=17))
    with pytest.raises(StorageError, match="does not fit"):
        checkpoints.load_state(tmp_path, tiny_state(other))


def test_a_failed_write_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    task = tiny_task()
    path = checkpoints.save(task.config, tiny_state(task), tmp_path)
    good = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(StorageError, match="No space left on device"):
        checkpoints.save(task.config, tiny_state(task), tmp_path)
    assert path.read_bytes() == good
    assert [p.name for p in tmp_path.iterdir()] == [checkpoints.NAME]


def test_a_checkpoint_holds_the_random_state(tmp_path):
    task = tiny_task()
    state = tiny_state(task)
    checkpoints.save(task.config, state, tmp_path)
    expected = torch.rand(3, generator=state.rng)
    loaded = tiny_state(task)
    torch.rand(11, generator=loaded.rng)
    checkpoints.load_state(tmp_path, loaded)
    assert torch.equal(torch.rand(3, generator=loaded.rng), expected)


def stored_with(tmp_path, **old):
    """A checkpoint whose config is as an earlier version stored it."""
    task = tiny_task()
    checkpoints.save(task.config, tiny_state(task), tmp_path)
    content = load_file(tmp_path / checkpoints.NAME)
    with safe_open(tmp_path / checkpoints.NAME, "pt") as file:
        about = {key: value for key, value in file.metadata().items() if key != "sha256"}
    about["config"] = json.dumps(json.loads(about["config"]) | old)
    save_file(content, tmp_path / checkpoints.NAME, about)
    return task.config


def test_a_checkpoint_with_a_retired_setting_opens_or_says_what_is_gone(tmp_path):
    config = stored_with(tmp_path, embedding_norm="batch", student_momentum=0.9)
    assert checkpoints.load_config(tmp_path) == config
    stored_with(tmp_path, student_momentum=0.5)
    with pytest.raises(StorageError, match=r"student_momentum=0\.5 is gone: the student's SGD always has"):
        checkpoints.load_config(tmp_path)
