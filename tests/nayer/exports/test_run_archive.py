"""What a run leaves as files is what happened in it."""

import csv
import io
import json
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from nayer.events import RoundFinished, RoundSynthesized, RunStarted
from nayer.exports import recording
from nayer.exports.config_file import read_config
from nayer.exports.gif import MAX_FRAMES, SIDE, animation
from nayer.exports.run_archive import description, files, zipped
from nayer.networks.classifiers import build
from nayer.networks.specs import ModelSpec
from nayer.teachers.load import weights_of
from tests.support.tiny import tiny_config, tiny_run, tiny_task

SPEC = ModelSpec(architecture="lenet-2", channels=1, size=8, classes=3, mean=(0.4,), std=(0.3,))


@pytest.fixture(scope="module")
def events():
    return list(tiny_run(tiny_task()))


def test_the_animation_has_a_frame_a_round_and_an_image_a_class(events):
    made = [event for event in events if isinstance(event, RoundSynthesized)]
    film = Image.open(io.BytesIO(animation(events)))
    frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(film)]
    assert len(frames) == len(made)
    factor = SIDE // 8
    for frame, event in zip(frames, made, strict=True):
        assert frame.shape == (64 + 4, 3 * (64 + 4))
        for label in range(3):
            image = event.images[event.labels == label][0, 0]
            shown = frame[:64, label * 68 : label * 68 + 64].reshape(8, factor, 8, factor)[:, 0, :, 0]
            np.testing.assert_allclose(shown.astype(int), image, atol=2)  # a palette of 256 colors
    assert animation([]) == b""


def test_a_long_run_is_shown_in_rounds_at_equal_distances(events):
    started = next(event for event in events if isinstance(event, RunStarted))
    made = next(event for event in events if isinstance(event, RoundSynthesized))
    film = Image.open(io.BytesIO(animation([started, *[made] * (MAX_FRAMES + 30)])))
    assert getattr(film, "n_frames", 1) <= MAX_FRAMES


def test_the_files_say_what_the_events_say(events, tmp_path):
    student = build(SPEC, torch.Generator().manual_seed(1)).eval()
    found = files(events, weights_of(student, description(student, ("cat", "dog", "boat"))))
    rows = list(csv.DictReader(io.StringIO(found["metrics.csv"].decode())))
    assert len(rows) == sum(isinstance(event, RoundFinished) for event in events)
    assert len(found["events.jsonl"].splitlines()) == len(events)
    assert json.loads(found["config.json"])["config"] == tiny_config().model_dump()
    assert recording.read(found["run.nayer"])
    (tmp_path / "mine.yaml").write_bytes(found["run.yaml"])
    assert read_config(tmp_path / "mine.yaml") == tiny_config()
    assert "python -m nayer distill --teacher emoji10" in found["README.txt"].decode()
    with zipfile.ZipFile(io.BytesIO(zipped(found))) as archive:
        archive.extractall(tmp_path)
    images = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    torch.save(images, tmp_path / "images.pt")
    lines = "import sys, torch; from student import load; assert 'nayer' not in sys.modules\n"
    lines += f"print(load()(torch.load({str(tmp_path / 'images.pt')!r})).tolist())"
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=tmp_path / "nayer-run", capture_output=True, text=True, check=True
    )
    torch.testing.assert_close(torch.tensor(json.loads(done.stdout)), student(images).detach())


def test_a_network_made_elsewhere_leaves_its_weights_and_no_code(events):
    student = torch.nn.Linear(2, 2)
    found = files(events, weights_of(student, description(student, ("a", "b"))))
    assert "student.safetensors" in found
    assert "student.py" not in found
    with pytest.raises(ValueError, match="no run has started"):
        files(events[-1:], b"")


@pytest.mark.parametrize(("clock", "year"), [(0.0, 1980), (-1e9, 1980), (1e9, 2001), (5e9, 2107)])
def test_the_archive_is_made_whatever_the_clock_of_the_machine_says(monkeypatch, clock, year):
    """A small machine without a battery begins in 1970, which a zip file cannot say."""
    now = time.gmtime(clock)
    monkeypatch.setattr(time, "localtime", lambda *seconds: now)
    with zipfile.ZipFile(io.BytesIO(zipped({"a.txt": b"a" * 1000}))) as archive:
        (member,) = archive.infolist()
        assert (member.date_time[0], member.filename, archive.read(member)) == (year, "nayer-run/a.txt", b"a" * 1000)
        assert member.compress_size < 100
