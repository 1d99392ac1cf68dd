"""What earlier versions stored under other names opens, and nothing is written under them."""

import dataclasses
import json
from pathlib import Path

import pytest

from nayer.cli.bench import _read as read_measurement
from nayer.cli.compare import _varied
from nayer.cli.main import parser_for
from nayer.cli.options import given_settings
from nayer.compare import outcome
from nayer.compare.study import read_study
from nayer.compare.sweep import read_sweep
from nayer.config import Config
from nayer.earlier_versions import (
    RENAMED_CARD_FIELDS,
    RENAMED_EVENTS,
    RENAMED_FIELDS,
    RENAMED_SETTINGS,
    with_present_names,
)
from nayer.events import DiversityMeasured, PolicyChanged, RoundSynthesized, RunStarted
from nayer.exports import event_codec, recording
from nayer.exports.config_file import read_config
from nayer.exports.metrics_table import Record, rows_before
from nayer.exports.reproduce import config_of, known
from nayer.networks.cards import TeacherCard, read_card
from nayer.teachers.upload import UploadedTeacher
from tests.support.repository import ROOT

STORED = ROOT / "tests" / "behavior" / "recorded" / "stored"  # written by an earlier version, and never again
RECORDING, TEACHER = STORED / "run.nayer", STORED / "teacher"


def test_an_earlier_name_is_no_present_name_and_leads_to_one():
    assert RENAMED_SETTINGS.keys().isdisjoint(Config.model_fields)
    assert set(RENAMED_SETTINGS.values()) <= Config.model_fields.keys()
    assert RENAMED_EVENTS.keys().isdisjoint(event_codec._KINDS)
    assert set(RENAMED_EVENTS.values()) <= event_codec._KINDS.keys()
    names = {field.name for kind in event_codec._KINDS.values() for field in dataclasses.fields(kind)}
    assert RENAMED_FIELDS.keys().isdisjoint(names)
    assert set(RENAMED_FIELDS.values()) <= names
    assert RENAMED_CARD_FIELDS.keys().isdisjoint(TeacherCard.model_fields)
    assert set(RENAMED_CARD_FIELDS.values()) <= TeacherCard.model_fields.keys()


def test_the_value_of_the_present_name_counts_where_both_are_given():
    assert with_present_names({"old": 1, "other": 3}, {"old": "new"}) == {"new": 1, "other": 3}
    assert with_present_names({"old": 1, "new": 2}, {"old": "new"}) == {"new": 2}
    assert with_present_names({"new": 2, "old": 1}, {"old": "new"}) == {"new": 2}


# --- settings --------------------------------------------------------------------------------------------------------


def test_a_stored_config_keeps_the_value_of_a_renamed_setting():
    old = {name: value for name, value in Config().model_dump().items() if name != "elastic_share"}
    old["bent_share"] = 0.25
    wanted = Config(elastic_share=0.25)
    assert Config.parse(old) == Config(**old) == Config.model_validate_json(json.dumps(old)) == known(old) == wanted
    assert Config.parse({"bent_share": 0.25}, Config(elastic_share=0.5)) == wanted
    assert Config().changed({"bent_share": 0.25}) == wanted
    assert "bent_share" not in wanted.model_dump()


def test_an_address_of_an_earlier_version_keeps_it():
    assert config_of({"bent_share": "0.25"})[1].elastic_share == 0.25


@pytest.mark.parametrize("command", ["distill", "compare", "config"])
def test_a_command_of_an_earlier_version_keeps_it_and_the_help_has_the_present_name_only(command):
    parser = parser_for(command)
    out = ["--out", "runs/x"] if command == "compare" else []
    assert given_settings(parser.parse_args(["--bent-share", "0.25", *out])) == {"elastic_share": 0.25}
    told = parser.format_help()
    assert "--elastic-share" in told
    assert "bent" not in told


def test_a_file_of_an_earlier_version_keeps_it(tmp_path):
    run, sweep = tmp_path / "run.yaml", tmp_path / "sweep.yaml"
    run.write_text("preset: nayer\nbent_share: 0.25\n")
    assert read_config(run).elastic_share == 0.25
    sweep.write_text("shared: {teacher: digits, work: 10}\narms: {a: {bent_share: 0.25}}\n")
    assert [one.changes for one in read_sweep(sweep).variations] == [{"elastic_share": 0.25}]
    sweep.write_text("shared: {teacher: digits, work: 10}\npresets: [nayer]\nvary: {bent_share: [0, 0.25]}\n")
    assert [one.changes for one in read_sweep(sweep).variations] == [{"elastic_share": 0}, {"elastic_share": 0.25}]
    assert _varied("bent_share=0,0.25") == _varied("bent-share=0,0.25") == ("elastic_share", [0.0, 0.25])


# --- events ----------------------------------------------------------------------------------------------------------


def test_a_recording_of_an_earlier_version_has_events_and_settings_of_this_one():
    packed = RECORDING.read_bytes()
    events = recording.read(packed)
    assert sum(isinstance(event, RoundSynthesized) for event in events) == 3
    [started] = [event for event in events if isinstance(event, RunStarted)]
    assert started.config["elastic_share"] == 0.0
    assert "bent_share" not in started.config
    assert all(0.0 <= event.label_accuracy <= 1.0 for event in events if isinstance(event, RoundSynthesized))
    measured = [event.samples.within for event in events if isinstance(event, DiversityMeasured)]
    assert measured
    assert all(len(within.label_accuracies) == len(within.counts) for within in measured)
    again = recording.read(recording.written(events))
    assert [type(event) for event in again] == [type(event) for event in events]


def test_a_change_of_a_renamed_setting_is_told_under_the_present_name():
    changed = PolicyChanged(round=1, seconds=0.0, changes={"bent_share": (0.0, 0.5), "student_lr": (0.2, 0.1)})
    read = event_codec.unpack(event_codec.pack(changed))
    assert isinstance(read, PolicyChanged)
    assert read.changes == {"elastic_share": (0.0, 0.5), "student_lr": (0.2, 0.1)}


# --- tables and studies ----------------------------------------------------------------------------------------------


def test_the_table_of_a_run_of_an_earlier_version_goes_on():
    text = (STORED / "run" / "metrics.csv").read_text("utf-8")
    assert "label_hit" in text.splitlines()[0]
    rows = rows_before(3, text)
    assert [0.0 <= float(row["label_accuracy"]) <= 1.0 for row in rows] == [True] * 3
    assert "label_hit" not in Record(rows).csv()


def test_an_outcome_of_an_earlier_version_is_compared(tmp_path: Path):
    path = tmp_path / "nayer-0.json"
    steps = {"step": [1.0], "ce": [2.0], "label_accuracy": [0.5]}
    outcome.write(
        outcome.Outcome("nayer", 0, Config().model_dump(), 1.0, by_step=steps, diversity={"label_accuracy": 0.5}), path
    )
    path.write_text(path.read_text().replace("label_accuracy", "label_hit"))
    read = outcome.read(path)
    assert (read.by_step, read.diversity) == (steps, {"label_accuracy": 0.5})


def test_a_study_of_an_earlier_version_has_its_target(tmp_path: Path):
    path = tmp_path / "study.yaml"
    path.write_text("methods: {a: {}}\nteachers: [digits]\nbudgets: {rounds: [1]}\nsteps_to: {label_hit: 0.8}\n")
    assert read_study(path).steps_to == {"label_accuracy": 0.8}


# --- cards and measurements ------------------------------------------------------------------------------------------


def test_a_teacher_of_an_earlier_version_has_its_license():
    assert '"licence"' in (TEACHER / "config.json").read_text("utf-8")
    card = read_card(TEACHER)
    assert card.license == "its owner's"
    assert "licence" not in card.model_dump_json()


def test_an_uploaded_teacher_of_an_earlier_version_has_its_license():
    parts = [(TEACHER / name).read_bytes() for name in ("config.json", "model.safetensors")]
    assert UploadedTeacher(*parts).card().license == "its owner's"


def test_a_measurement_of_an_earlier_version_can_be_compared(tmp_path: Path):
    (tmp_path / "old.json").write_text('{"digits.nayer.to_80_normalised": 3.0}')
    assert read_measurement(tmp_path / "old.json") == {"digits.nayer.to_80_normalized": 3.0}
