"""A run in a tracker: numbers and samples are those of its metrics, and a failing tracker costs no run."""

import csv
import importlib.util
import io
import json
import os
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nayer.cli.main import main
from nayer.common import extras
from nayer.config import Config
from nayer.errors import ConfigError, StorageError
from nayer.exports.metrics_table import Record
from nayer.exports.tracking import TRACKERS, Tracking, check_tracker, open_tracking
from tests.support.repository import ROOT
from tests.support.tiny import tiny_config, tiny_run, tiny_task

FEW = ["--teacher", "digits", "--rounds", "3", "--warmup-rounds", "1", "--generator-steps", "2"]
FEW += ["--student-steps", "2", "--test-images", "50"]
FEW += ["--latent", "one-hot", "--device", "cpu"]


def needs(name):
    there = importlib.util.find_spec(name) is not None
    return pytest.mark.skipif(not there, reason=f"{name} is not installed: make slow installs it")


def rows(folder):
    return list(csv.DictReader(io.StringIO((folder / "metrics.csv").read_text("utf-8"))))


class Listening:
    """A tracker that remembers, and fails at a step."""

    def __init__(self, fails_at=None):
        self.steps, self.pictures, self.ends, self.fails_at = {}, {}, 0, fails_at

    def log(self, numbers, samples, step):
        sys.stdout.write("a greeting")
        if step == self.fails_at:
            raise OSError("disk full")
        self.steps[step], self.pictures[step] = dict(numbers), samples

    def finish(self):
        self.ends += 1


def test_each_round_is_logged_once_with_the_numbers_of_the_metrics_and_its_newest_samples(capsys):
    events = list(tiny_run(tiny_task(tiny_config(rounds=3))))
    tracker, record = Listening(), Record()
    followed = Tracking("trackio", tracker)
    for event in events:
        followed.add(event)
        record.add(event)
    followed.finish()
    assert (tracker.ends, followed.failure) == (1, "")
    assert list(tracker.steps) == [1, 2, 3]
    for row in csv.DictReader(io.StringIO(record.csv())):
        numbers = {name: float(value) for name, value in row.items() if value and name not in ("round", "redrawn")}
        assert tracker.steps[int(row["round"])] == numbers
    assert np.array_equal(tracker.pictures[3][:, :, :1], record.grid(1)[:, :, :1])
    assert tracker.pictures[3].shape[2] == 3
    assert capsys.readouterr().out == ""  # it belongs to the command


def test_a_tracker_that_fails_ends_the_tracking_and_not_the_run():
    tracker = Listening(fails_at=2)
    followed = Tracking("wandb", tracker)
    for event in tiny_run(tiny_task(tiny_config(rounds=4))):
        followed.add(event)
    assert list(tracker.steps) == [1]
    assert followed.failure == "track='wandb' ended early (disk full); the run itself is complete."


def test_what_cannot_track_is_one_sentence_before_the_run(monkeypatch, tmp_path, capsys):
    with pytest.raises(ConfigError, match=r"^track must be one of trackio, tensorboard, wandb; 'mlflow' was given\.$"):
        check_tracker("mlflow")
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    for name, extra in (("trackio", "track"), ("tensorboard", "track"), ("wandb", "wandb")):
        assert main(["distill", *FEW, "--track", name, "--out", str(tmp_path / "o")]) == 2
        sentence = f"track={name!r} needs the package {name}, which is not installed; pip install 'nayer[{extra}]'.\n"
        assert capsys.readouterr().err == sentence
    assert not (tmp_path / "o").exists()
    monkeypatch.setattr(extras, "find_spec", lambda name: object())

    def refuses(*given):
        raise RuntimeError("no account\nlong story")

    monkeypatch.setitem(TRACKERS, "wandb", refuses)
    with pytest.raises(StorageError, match=r"^track='wandb' cannot start \(no account\); "):
        open_tracking("wandb", Config(), None)


def test_nothing_of_a_tracker_is_imported_unless_it_is_asked_for():
    line = "import sys, nayer.cli.distill; print({'trackio', 'tensorboard', 'wandb'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", line], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@needs("tensorboard")
@pytest.mark.slow
def test_tensorboard_has_the_metrics_the_samples_and_the_config(tmp_path):
    assert main(["distill", *FEW, "--track", "tensorboard", "--out", str(tmp_path)]) == 0
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    expected = rows(tmp_path)
    for name in ("accuracy", "generator_loss", "student_loss"):
        told = {one.step: one.value for one in board.Scalars(name)}
        wanted = {int(row["round"]): float(row[name]) for row in expected if row[name]}
        assert told == pytest.approx(wanted, rel=1e-5)
    pictures = board.Images("samples")
    assert [one.step for one in pictures] == [1, 2, 3]
    with Image.open(io.BytesIO(pictures[-1].encoded_image_string)) as picture:
        assert picture.width == 10 * (8 + 2)
    assert b"teacher: digits" in board.Tensors("config/text_summary")[0].tensor_proto.string_val[0]


@needs("trackio")
@pytest.mark.slow
def test_trackio_has_the_metrics_the_samples_and_the_config(tmp_path):
    place, out = tmp_path / "trackio", tmp_path / "run"
    environment = {**os.environ, "TRACKIO_DIR": str(place), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "nayer", "distill", *FEW, "--track", "trackio", "--out", str(out)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rounds done after")
    ask = "import json, trackio; run = trackio.Api().runs('nayer')[0]; print(json.dumps([run.name, run.history()]))"
    told = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=False)
    database = next(place.glob("*.db"))
    with sqlite3.connect(database) as connection:
        logged = connection.execute("SELECT step, metrics FROM metrics ORDER BY step").fetchall()
        (config,) = connection.execute("SELECT config FROM configs").fetchone()
    assert [step for step, _ in logged] == [1, 2, 3], told
    for (_, metrics), row in zip(logged, rows(out), strict=True):
        numbers = json.loads(metrics)
        for name in ("accuracy", "generator_loss"):
            assert numbers[name] == pytest.approx(float(row[name]), rel=1e-5)
    assert json.loads(config)["teacher"] == "digits"
    pictures = list(Path(place).rglob("*.png"))
    assert len(pictures) == 3
    with Image.open(pictures[0]) as picture:
        assert picture.width == 10 * (8 + 2)


@needs("wandb")
@pytest.mark.slow
def test_wandb_offline_has_the_metrics_the_samples_and_the_config(tmp_path):
    environment = {**os.environ, "WANDB_MODE": "offline", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "nayer", "distill", *FEW, "--track", "wandb", "--out", "run"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rounds done after")
    (place,) = (tmp_path / "wandb").glob("offline-run-*")
    records = wandb_records(next(place.glob("*.wandb")))
    (run,) = (one.run for one in records if one.WhichOneof("record_type") == "run")
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert run.project == "nayer"
    assert (config["teacher"], config["rounds"], config["generator_steps"]) == ("digits", 3, 2)
    steps = [one.history for one in records if one.WhichOneof("record_type") == "history"]
    assert [one.step.num for one in steps] == [1, 2, 3]
    for logged, row in zip(steps, rows(tmp_path / "run"), strict=True):
        told = {tuple(item.nested_key): json.loads(item.value_json) for item in logged.item}
        wanted = {name: float(value) for name, value in row.items() if value and name not in ("round", "redrawn")}
        assert {name: told[name,] for name in wanted} == pytest.approx(wanted, rel=1e-5)
        with Image.open(place / "files" / told["samples", "path"]) as picture:
            assert picture.width == 10 * (8 + 2)
    (end,) = (one.exit for one in records if one.WhichOneof("record_type") == "exit")
    assert end.exit_code == 0


def wandb_records(path):
    """The records of a .wandb file: 7 bytes, then the log format of LevelDB, with a message of protobuf in each."""
    from wandb.proto.wandb_internal_pb2 import Record as Message

    content, at, record, found = path.read_bytes(), 7, b"", []
    while at < len(content):
        if (left := 32768 - at % 32768) < 7:  # no header fits into the rest of a block
            at += left
            continue
        _, size, kind = struct.unpack_from("<IHB", content, at)
        record += content[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # the whole record, or its last piece
            found.append(Message.FromString(record))
            record = b""
    return found
