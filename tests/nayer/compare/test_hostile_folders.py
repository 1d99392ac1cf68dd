"""A folder of a study or a comparison that holds other things, or damaged ones: one sentence, and nothing is lost."""

from __future__ import annotations

import json
import os

import pytest

from nayer.cli import study as study_command
from nayer.cli.main import main
from nayer.common import extras
from nayer.compare.calibration import Plan, write_plan
from nayer.compare.outcome import Outcome, read, write
from nayer.compare.outcome_folder import OutcomeFolder
from nayer.compare.study import read_study
from nayer.config import Config
from nayer.errors import StorageError
from tests.support.refusals import told

STUDY = """title: Small
methods: {A: {preset: nayer}, B: {preset: dfq}}
teachers: [digits]
budgets: {BUDGETS}
seeds: [0]
steps_to: {ce: 1.0}
"""
OTHER = STUDY.replace("A:", "C:").replace("B:", "D:")


def outcome(title="A", **changes):
    values = {
        "curve": [(0.0, 0.1), (1.0, 0.5)],
        "teacher_accuracy": 0.9,
        "measured_on": "test images",
        "with_measuring": False,
        "threads": 1,
        "seconds": 1.0,
        "by_step": {"step": [1.0], "ce": [2.0], "label_accuracy": [0.5]},
    }
    return Outcome(title, 0, Config(teacher="digits").model_dump(), 50.0, **{**values, **changes})


@pytest.fixture
def whole(tmp_path, monkeypatch):
    """The folder of a study whose runs are all there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(STUDY.replace("BUDGETS", "rounds: [1]"))
    folder = tmp_path / "o"
    (folder / "runs").mkdir(parents=True)
    (folder / "study.yaml").write_bytes((tmp_path / "s.yaml").read_bytes())
    kept = OutcomeFolder(folder, "wall", 1)
    for cell in read_study(folder / "study.yaml").cells:
        one = outcome(cell.arm.title)
        one.config = Config.parse({"seed": 0}, cell.arm.config).model_dump()
        write(one, kept.path(cell.arm.title, 0))
    return folder


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_whole_folder_gives_its_report_again(whole, capsys):
    assert main(["study", "--resume", "o"]) == 0
    assert capsys.readouterr().out == (whole / "report.md").read_text()


@pytest.mark.parametrize(
    "changes",
    [
        {"curve": [(0.0, float("nan"))]},
        {"curve": [(-1.0, 0.5)]},
        {"seconds": float("inf")},
        {"seconds": -1.0},
        {"spent": {"synthesis": float("nan")}},
        {"gigaflops": -1.0},
        {"by_step": {"ce": [1.0]}},
        {"by_step": {"step": [1.0, 2.0], "ce": [1.0], "label_accuracy": []}},
        {"by_step": {"step": [1.0], "ce": [float("nan")], "label_accuracy": [0.5]}},
        {"fresh": [float("nan")]},
        {"failure": "x" * 5000},
        {"machine": "a\x1b[31m"},
        {"classes": ["a"] * 1001},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_an_outcome_that_no_run_leaves_is_no_outcome(changes, tmp_path):
    path = tmp_path / "a.json"
    write(outcome(), path)
    assert read(path) == outcome()
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))
    with pytest.raises(StorageError, match="contains no outcome of this version; move it away"):
        read(path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arm": "Z\x1b"}, "contains no outcome of this version"),
        ({"arm": "Z"}, "contains the run of 'Z' with seed 0; move it away"),
        ({"seed": 7}, "contains the run of 'A · digits · 1 rounds' with seed 7; move it away"),
        ({"config": {"brightness": 1}}, "a-digits-1-rounds-0.json: brightness is not a setting"),
        ({"config": {"rounds": -4}}, "a-digits-1-rounds-0.json: rounds must be a whole number"),
        ({"config": {}}, "with a different teacher; use another folder."),
        ({"gigaflops": None}, "contains no outcome of this version"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_outcome_of_another_run_is_named_with_its_file(changes, said, whole, capsys):
    path = whole / "runs" / "a-digits-1-rounds-0.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    before = everything(whole)
    assert said in told(["study", "--resume", "o"], capsys)
    assert everything(whole) == before


@pytest.mark.parametrize("rounds", [0, -5, 10**6, 10**300, 1.5, True, "3"])
def test_a_plan_with_rounds_that_no_run_can_have_is_no_plan(rounds, whole, capsys):
    (whole / "study.yaml").write_text(STUDY.replace("BUDGETS", "seconds: [1]"))
    write_plan(Plan(1.0, "wall", 1, {"A · digits · 1 s": rounds}), whole / "plan.json")
    assert "plan.json contains no plan of this version; move it away" in told(["study", "--resume", "o"], capsys)


@pytest.mark.parametrize("name", ["runs", "tables", "figures"])
def test_a_link_in_place_of_a_folder_leads_nowhere(name, whole, tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    if (whole / name).is_dir():
        (whole / name).rename(whole / "away")
    (whole / name).symlink_to("../elsewhere")
    assert f"o/{name} is a link or a file in place of a folder" in told(["study", "--resume", "o"], capsys)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("name", ["report.md", "plan.json"])
def test_what_is_in_the_way_of_a_file_is_told_before_hours_of_runs(name, whole, capsys):
    (whole / name).mkdir()
    assert f"o/{name} is not a file; move it away" in told(["study", "--resume", "o"], capsys)


def test_a_lock_that_is_a_link_leaves_its_target_alone(whole, tmp_path, capsys):
    (tmp_path / "precious").write_text("precious")
    (whole / ".lock").symlink_to("../precious")
    told(["study", "--resume", "o"], capsys)
    assert (tmp_path / "precious").read_text() == "precious"


def test_another_study_does_not_replace_the_one_that_is_there(whole, tmp_path, capsys):
    (tmp_path / "other.yaml").write_text(OTHER.replace("BUDGETS", "rounds: [1]"))
    before = everything(whole)
    assert "out='o' contains another study" in told(["study", "other.yaml", "--out", "o"], capsys)
    (tmp_path / "changed.yaml").write_text(STUDY.replace("BUDGETS", "rounds: [1]") + "shared: {mirror_no: 1}\n")
    told(["study", "changed.yaml", "--out", "o"], capsys)
    changed = STUDY.replace("BUDGETS", "rounds: [1]") + "shared: {test_images: 77}\n"
    (tmp_path / "changed.yaml").write_text(changed)
    assert "with a different test_images; use another folder." in told(["study", "changed.yaml", "--out", "o"], capsys)
    assert everything(whole) == before


@pytest.mark.parametrize("name", ["report.md", "plan.json", "runs", "tables"])
def test_a_folder_with_other_things_is_no_place_for_a_study(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(STUDY.replace("BUDGETS", "rounds: [1]"))
    place = tmp_path / "mine" / name
    (place.mkdir if "." not in name else lambda **_: (place.parent.mkdir(), place.write_text("mine")))(parents=True)
    said = told(["study", "s.yaml", "--out", "mine"], capsys)
    assert f"out='mine' contains {name}, which is not the file of a study" in said
    assert [path.name for path in (tmp_path / "mine").iterdir()] == [name]


@pytest.mark.parametrize("name", ["table.md", "samples.png", "study.yaml"])
def test_a_folder_with_other_things_is_no_place_for_a_comparison(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("mine")
    words = ["compare", "--presets", "nayer", "--teacher", "digits", "--rounds", "1", "--out", "mine"]
    assert f"out='mine' contains {name}, which is not the file of a comparison" in told(words, capsys)
    assert (tmp_path / "mine" / name).read_text() == "mine"
    assert [path.name for path in (tmp_path / "mine").iterdir()] == [name]


def test_without_the_packages_of_the_figures_no_run_begins(whole, monkeypatch, capsys):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    monkeypatch.setattr(study_command, "run_missing", lambda *given: pytest.fail("a run began"))
    sentence = "study needs the package scipy, which is not installed; pip install 'nayer[compare]'."
    assert told(["study", "--resume", "o"], capsys) == sentence
    assert main(["study", "s.yaml", "--dry-run"]) == 0


def test_a_key_of_a_study_is_not_sought_among_the_settings(tmp_path, capsys):
    (tmp_path / "s.yaml").write_text("qqqq: 1\n")
    said = told(["study", str(tmp_path / "s.yaml"), "--dry-run"], capsys)
    assert "'qqqq' is not a key of a study; use title, question, methods" in said
    assert not os.path.lexists(tmp_path / "o")
