"""A run's files: they say what the run did, load back, and are there whole or not at all."""

import csv
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from nayer.common.files import check_writable, write_whole
from nayer.errors import StorageError
from nayer.events import DiversityMeasured, RoundFinished, RoundSynthesized, RunStarted, StudentStep
from nayer.exports.config_file import RUN_FILE
from nayer.exports.metrics_table import COLUMNS, GAP, SHOWN_ROUNDS, WITHOUT_JUDGE, Record, rows_before
from nayer.exports.run_folder import CODE, CONFIG, METRICS, SAMPLES, STUDENT, export, load_student
from nayer.networks.classifiers import build
from nayer.networks.specs import ModelSpec
from tests.support.tiny import tiny_config, tiny_run, tiny_task

MODEL = ModelSpec(architecture="lenet-2", channels=1, size=8, classes=3, mean=(0.5,), std=(0.25,))


def recorded(**changes):
    events = list(tiny_run(tiny_task(tiny_config(**changes))))
    record = Record()
    for event in events:
        record.add(event)
    return events, record


def read(record):
    return list(csv.DictReader(io.StringIO(record.csv())))


def test_metrics_have_a_row_a_round_with_what_was_measured_in_it():
    events, record = recorded(rounds=4, evaluate_every=2)
    rows = read(record)
    assert [int(row["round"]) for row in rows] == [1, 2, 3, 4]  # as the page counts
    assert [bool(row["agreement"]) for row in rows] == [False, True, False, True]
    assert rows[0]["student_loss"] == ""  # the warm-up trains no student
    for row in rows:
        made = next(e for e in events if isinstance(e, RoundSynthesized) and e.round + 1 == int(row["round"]))
        assert float(row["generator_loss"]) == pytest.approx(made.loss, rel=1e-5)
        assert int(row["pool_size"]) == made.pool_size
        losses = [e.loss for e in events if isinstance(e, StudentStep) and e.round == made.round]
        if losses:
            assert float(row["student_loss"]) == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_a_resumed_record_goes_on_where_the_checkpoint_was():
    _, record = recorded(rounds=4)
    earlier = rows_before(2, record.csv())
    assert earlier == read(record)[:2]
    again = Record(earlier)
    again.add(RoundFinished(round=2, seconds=1.5, rounds=4))
    assert [row["round"] for row in read(again)] == ["1", "2", "3"]


def test_metrics_hold_the_three_scales_of_diversity_and_their_references():
    events, record = recorded(rounds=3)
    measured = [event for event in events if isinstance(event, DiversityMeasured)]
    for row, one in zip(read(record), measured, strict=True):
        told = [float(row[name]) for name in ("within_round", "within_round_noise", "labels_kept")]
        assert told == pytest.approx(
            [one.samples.within.vendi_mean, one.noise.within.vendi_mean, one.labels_kept], 1e-5
        )
        assert (row["across_rounds"] == "") == (one.samples.across is None)
        assert row["within_round_real"] == ""  # there are no test images


def test_a_run_of_an_earlier_version_goes_on_with_its_rounds_counted_from_one():
    old = [name for name in WITHOUT_JUDGE if not name.startswith(("within", "across", "over", "labels"))]
    text = ",".join(old) + "\n" + "\n".join(f"{round_},{round_}.5" + "," * (len(old) - 2) for round_ in range(3))
    earlier = rows_before(2, text)
    assert [(row["round"], row["seconds"]) for row in earlier] == [("1", "0.5"), ("2", "1.5")]
    assert Record(earlier).csv().splitlines()[0] == ",".join(WITHOUT_JUDGE)


@pytest.mark.parametrize("text", ["", "round,other\n1,2\n", ",".join(COLUMNS) + "\nx\n"])
def test_metrics_of_another_make_are_refused_in_a_sentence(text):
    with pytest.raises(StorageError, match=r"metrics\.csv .*; move it away"):
        rows_before(1, text)


def synthesized(round_, images, labels):
    n = len(labels)
    shares, marks = np.zeros(n, np.float32), np.zeros(n, np.int64)
    return RoundSynthesized(
        round=round_,
        seconds=0.0,
        images=images,
        labels=np.array(labels),
        teacher_labels=marks,
        teacher_confidence=shares,
        student_labels=marks,
        student_confidence=shares,
        features=np.zeros((n, 2), np.float32),
        best_step=0,
        loss=0.0,
        label_accuracy=0.0,
        pooled=True,
        pool_size=n,
        pool_capacity=n,
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_the_grid_has_a_column_a_class_and_the_newest_row_on_top(channels):
    events, _ = recorded()
    record = Record()
    record.add(next(e for e in events if isinstance(e, RunStarted)))  # 3 classes
    side, rounds = 8, SHOWN_ROUNDS + 2
    for round_ in range(rounds):
        values = np.array([2, 0, 1, 0]) * 50 + round_  # the second image of class 0 is not shown
        images = np.broadcast_to(values[:, None, None, None], (4, channels, side, side)).astype(np.uint8)
        record.add(synthesized(round_, images, [2, 0, 1, 0]))
    grid = record.grid()
    step = side + GAP
    assert grid.shape == (SHOWN_ROUNDS * step, 3 * step, channels)
    for row in range(SHOWN_ROUNDS):
        for column in range(3):
            tile = grid[row * step : row * step + side, column * step : column * step + side]
            assert (tile == column * 50 + rounds - 1 - row).all()
    assert (grid[side:step] == 255).all()


def test_an_exported_student_answers_as_the_one_in_the_run(tmp_path):
    _, record = recorded()
    student = build(MODEL, torch.Generator().manual_seed(3))
    student(torch.rand(16, 1, 8, 8))  # moves the BatchNorms' statistics
    written = export(tmp_path, tiny_config(), MODEL, student, record)
    assert (
        {path.name for path in written}
        == {STUDENT, CODE, SAMPLES, METRICS, CONFIG, RUN_FILE}
        == {p.name for p in tmp_path.iterdir()}
    )
    images = torch.rand(5, 1, 8, 8)
    assert torch.equal(load_student(tmp_path)(images), student.eval()(images))

    content = json.loads((tmp_path / CONFIG).read_text("utf-8"))
    assert content["config"] == tiny_config().model_dump()
    assert content["classes"] == ["cat", "dog", "boat"]
    picture = np.asarray(Image.open(tmp_path / SAMPLES))
    assert (picture[::4, ::4] == record.grid()[:, :, 0]).all()  # 8 pixels are shown as 32


def test_a_run_stopped_before_its_first_round_has_no_picture(tmp_path):
    export(tmp_path, tiny_config(), MODEL, build(MODEL), Record())
    assert not (tmp_path / SAMPLES).exists()
    assert (tmp_path / METRICS).read_text("utf-8").strip() == ",".join(WITHOUT_JUDGE)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (CONFIG, b"{"),
        (CONFIG, b"[]"),
        (CONFIG, b'{"model": {"architecture": "lenet-2"}}'),
        (CONFIG, b"\xff"),
        (STUDENT, b"12345678"),
        (STUDENT, b""),
    ],
)
def test_a_damaged_student_is_told_of_in_a_sentence(tmp_path, name, content):
    export(tmp_path, tiny_config(), MODEL, build(MODEL), Record())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StorageError, match="contains a damaged student; train it again"):
        load_student(tmp_path)


def test_a_missing_student_is_told_of_in_a_sentence(tmp_path):
    with pytest.raises(StorageError, match="contains no student"):
        load_student(tmp_path)


def test_a_full_disk_keeps_the_former_file_and_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "metrics.csv"
    write_whole(path, b"former")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(
        StorageError, match=r"metrics\.csv could not be written \(No space left on device\); choose a place"
    ):
        write_whole(path, b"newer")
    assert path.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [path]


def test_one_file_that_fails_does_not_take_the_others_with_it(tmp_path):
    (tmp_path / CONFIG).mkdir()  # a folder in the way of the file
    with pytest.raises(StorageError, match=CONFIG):
        export(tmp_path, tiny_config(), MODEL, build(MODEL), Record())
    assert (tmp_path / STUDENT).is_file()
    assert (tmp_path / METRICS).is_file()


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="could not be written"):
        check_writable(tmp_path / "file" / "runs")
    check_writable(tmp_path / "new" / "runs")
    assert list((tmp_path / "new" / "runs").iterdir()) == []
