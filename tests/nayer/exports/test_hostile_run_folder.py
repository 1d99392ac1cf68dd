"""A run's folder from somebody else, and a folder for the Hub with other things in it: bounded, and nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import tracemalloc

import pytest
import torch

import nayer
from nayer.cli.main import main
from nayer.errors import AssetError
from nayer.exports import hub_folder, run_folder
from nayer.exports.config_file import written
from nayer.exports.run_folder import load_student
from nayer.networks import classifiers
from nayer.teachers import folder as teachers
from tests.reliability.commands import SMALL
from tests.support.refusals import told
from tests.support.tiny import tiny_config

HUGE = {"architecture": "wrn40-128", "size": 64, "channels": 3, "mean": [0.5] * 3, "std": [0.5] * 3}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A run's folder, without a run."""
    folder = tmp_path_factory.mktemp("run")
    spec = classifiers.ModelSpec(architecture="lenet-2", channels=1, size=8, classes=2, mean=(0.5,), std=(0.25,))
    student = classifiers.build(spec, torch.Generator().manual_seed(0))
    (folder / "student.safetensors").write_bytes(run_folder.save(student.state_dict()))
    config = tiny_config(teacher="digits").model_dump()
    content = {"config": config, "model": spec.model_dump(), "classes": ["cat", "dog"]}
    content["evaluated"] = {"accuracy": 0.5, "teacher_accuracy": 0.75, "agreement": 0.25}
    (folder / "config.json").write_text(json.dumps(content))
    (folder / "run.yaml").write_text(written(tiny_config(teacher="digits")))
    return folder


@pytest.fixture
def run(original, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(original, tmp_path / "r")
    return tmp_path / "r"


def changed(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


EXPORT = ["export", "r", "--hub-folder", "h"]


def test_the_folder_is_fine_as_it_is(run, capsys):
    for _ in range(2):  # a second export replaces its own files
        assert main(EXPORT) == 0
    assert nayer.Student.from_pretrained("h").names == ["cat", "dog"]
    capsys.readouterr()


@pytest.mark.parametrize("load", [load_student, lambda folder: main(["export", str(folder), "--hub-folder", "h"])])
def test_a_network_of_36_gigabytes_in_a_short_file_takes_no_memory(load, run, monkeypatch, capsys):
    changed(run / "config.json", lambda content: content["model"].update(HUGE))
    monkeypatch.setattr(run_folder, "build", lambda spec: pytest.fail("the network was built"))
    if load is load_student:
        with pytest.raises(nayer.NayerError, match="contains a damaged student"):
            load(run)
    else:
        assert load(run) == 1
        assert "contains a damaged student" in capsys.readouterr().err


def test_a_student_of_the_hub_is_compared_with_its_weights_before_it_is_built(run, monkeypatch, capsys):
    assert main(EXPORT) == 0
    capsys.readouterr()
    changed(run.parent / "h" / "config.json", lambda content: content.update(HUGE))
    monkeypatch.setattr(hub_folder.Classifier, "to_empty", lambda *given: pytest.fail("memory was taken"))
    tracemalloc.start()
    with pytest.raises(AssetError, match=r"model\.safetensors does not fit config\.json"):
        nayer.Student.from_pretrained("h")
    assert tracemalloc.get_traced_memory()[1] < 100 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda told: told.update(architecture="../../x"), "describes no student"),
        (lambda told: told.update(names=["a"] * 100_000), "describes no student"),
        (lambda told: told.update(names=["a\x1b", "b"]), "describes no student"),
        (lambda told: told.update(size=10**300), "describes no student"),
        (lambda told: told.pop("size"), "describes no student"),
        (lambda told: told.update(channels=3, mean=[0.5] * 3, std=[0.5] * 3), "does not fit"),
    ],
)
def test_a_hub_folder_that_describes_no_student_is_one_sentence(change, said, run, capsys):
    assert main(EXPORT) == 0
    capsys.readouterr()
    changed(run.parent / "h" / "config.json", change)
    with pytest.raises(AssetError, match=said):
        nayer.Student.from_pretrained("h")


@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.write_bytes(b"\x80\x04.")]
)
def test_weights_that_are_no_file_or_a_pickle_are_not_read(make, run, capsys):
    assert main(EXPORT) == 0
    capsys.readouterr()
    weights = run.parent / "h" / "model.safetensors"
    (weights.parent / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    weights.unlink()
    make(weights)
    with pytest.raises(AssetError):
        nayer.Student.from_pretrained("h")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(classes=["cat"]),
        lambda content: content.update(classes=["cat", "dog", "boat"]),
        lambda content: content.update(classes="cd"),
        lambda content: content.update(classes=["a\ud800", "b"]),
        lambda content: content.update(classes=["a\u202eb", "b"]),
        lambda content: content["evaluated"].update(accuracy=10**400),
        lambda content: content["evaluated"].update(accuracy=float("nan")),
        lambda content: content["evaluated"].update(accuracy=7),
        lambda content: content["model"].update(std=[0.0]),
        lambda content: content["config"].update(teacher=5),
    ],
)
def test_a_config_that_no_run_wrote_is_one_sentence(change, run, capsys):
    changed(run / "config.json", change)
    assert "contains a damaged" in told(EXPORT, capsys)
    assert not (run.parent / "h").exists()


def test_names_and_commands_stay_where_they_are_in_the_card(run, capsys):
    names = ["<script>alert(1)</script>", "[a](javascript:b)"]
    changed(run / "config.json", lambda content: content.update(classes=names))
    changed(run / "config.json", lambda content: content["config"].update(teacher="a\n```\n# evil\n---\n````"))
    assert main(EXPORT) == 0
    capsys.readouterr()
    card = (run.parent / "h" / "README.md").read_text()
    assert "<script>" not in card
    assert r"| classes | \<script\>alert(1)\</script\>, \[a\](javascript:b) |" in card
    assert [line for line in card.splitlines() if line.startswith("```")] == ["```python", "```", "```bash", "```"]


@pytest.mark.parametrize("license", ["mit\n---\n# evil", "a|b", " ", "x" * 65, "-"])
def test_a_license_is_an_identifier(license, run, capsys):
    assert "license must be an identifier of the Hub" in told([*EXPORT, f"--license={license}"], capsys)


@pytest.mark.parametrize("name", ["README.md", "config.json", "run.yaml", "samples.png"])
def test_a_folder_for_the_hub_replaces_nothing_of_others(name, run, capsys):
    (run.parent / "h").mkdir()
    (run.parent / "h" / name).write_text("mine")
    assert f"hub-folder='h' contains {name}" in told(EXPORT, capsys)
    assert (run.parent / "h" / name).read_text() == "mine"


def test_the_folder_of_the_run_is_no_folder_for_the_hub(run, capsys):
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    assert "hub-folder='r' contains config.json" in told(["export", "r", "--hub-folder", "r"], capsys)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_a_link_in_a_folder_for_the_hub_leads_nowhere(run, tmp_path, capsys):
    assert main(EXPORT) == 0
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "h" / "model.safetensors").unlink()
    (tmp_path / "h" / "model.safetensors").symlink_to("../precious")
    capsys.readouterr()
    assert "is a link" in told(EXPORT, capsys)
    assert (tmp_path / "precious").read_text() == "precious"


# --- --out of distill and teach ---------------------------------------------------------------------------------------


def test_a_run_does_not_replace_its_teacher(teacher_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(teacher_folder, "t")
    before = {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()}
    assert "out='t' contains config.json" in told(["distill", "--teacher", "t", *SMALL, "--out", "t"], capsys)
    assert {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()} == before


def test_a_teacher_does_not_replace_a_run(run, capsys):
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    assert "out='r' contains config.json" in told(["teach", "digits", "--epochs", "1", "--out", "r"], capsys)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_a_teacher_replaces_a_teacher_and_what_an_interrupted_writing_left(teacher_folder, tmp_path):
    shutil.copytree(teacher_folder, tmp_path / "t")
    teachers.check_teacher_folder(tmp_path / "t")
    (tmp_path / "t" / "config.json").unlink()
    teachers.check_teacher_folder(tmp_path / "t")
    teachers.check_teacher_folder(tmp_path / "absent")
