"""A judge is trained beside a teacher, found with it, checked like it, and never in the way of a run."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import stat
from pathlib import Path

import pytest
import torch
from PIL import Image

from nayer.cli.exit_codes import INTERRUPTED
from nayer.cli.main import main
from nayer.config import Config
from nayer.errors import AssetError
from nayer.events import Note, SecondOpinion
from nayer.networks import cards
from nayer.networks.cards import SHIPPED, read_card
from nayer.networks.classifiers import build
from nayer.networks.specs import parse_architecture
from nayer.runs.memory_use import use_of
from nayer.runs.run import open_run
from nayer.teachers.folder import HELD_OUT
from nayer.teachers.judges import judge_architecture
from nayer.teachers.load import load_teacher, weights_of
from nayer.teachers.recipes import RECIPES
from nayer.teachers.upload import UploadedTeacher
from nayer.teachers.upload_loading import opened, remarks
from tests.support.uploaded import config, uploaded, weights

FEW = {"rounds": 2, "warmup_rounds": 1, "generator_steps": 1, "student_steps": 1, "noisy_width": 8}
FEW |= {"generator_width": 2, "synthesis_batch": 10, "latent": "one-hot", "device": "cpu", "test_images": 50}


@pytest.fixture
def judge(tmp_path: Path) -> Path:
    """An untaught judge of digits."""
    known = read_card(SHIPPED / "digits")
    spec = known.model.model_copy(update={"architecture": "convnet4-2"})
    content = weights_of(build(spec, torch.Generator().manual_seed(9)))
    card = known.model_copy(update={"model": spec, "student": spec, "sha256": hashlib.sha256(content).hexdigest()})
    (tmp_path / "judges" / "digits").mkdir(parents=True)
    (tmp_path / "judges" / "digits" / "model.safetensors").write_bytes(content)
    (tmp_path / "judges" / "digits" / "config.json").write_text(card.model_dump_json())
    return tmp_path / "judges" / "digits"


@pytest.fixture
def mine(tmp_path: Path, judge: Path) -> Path:
    """The shipped digits teacher in a folder of one's own, with that judge."""
    folder = Path(shutil.copytree(SHIPPED / "digits", tmp_path / "mine"))
    shutil.copytree(judge, folder / "judge")
    return folder


def changed(folder: Path, **fields: object) -> None:
    card = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**card, **fields}))


def test_teach_judge_makes_one_of_a_known_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teach", "digits", "--judge", "--epochs", "4", "--out", str(tmp_path / "digits")]) == 0
    card = read_card(tmp_path / "digits")
    assert card.model.architecture == card.student.architecture == "convnet4-8"
    assert card.robust is not None
    assert card.robust.epsilon == pytest.approx(0.0135 * 8, abs=0.005)
    assert card.command == "python -m nayer teach digits --seed 0 --epochs 4 --judge"
    page = (tmp_path / "digits" / "README.md").read_text()
    assert page.startswith("# Judge: Handwritten digits")
    assert "No run learns from it." in page
    assert "its student" not in page
    assert "the judge is saved in" in capsys.readouterr().out


def test_teach_judge_makes_one_beside_a_teacher_of_ones_own_and_its_runs_are_judged(tmp_path: Path) -> None:
    for place, name in enumerate(("cat", "dog")):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("L", (8, 8), 120 * place + number).save(tmp_path / "images" / name / f"{number}.png")
    words = ["teach", "--data", str(tmp_path / "images"), "--out", str(tmp_path / "mine"), "--epochs", "2"]
    assert main([*words, "--judge"]) == 0
    teacher = load_teacher(str(tmp_path / "mine"))
    assert teacher.judge is not None
    assert teacher.judge.card.model.architecture == "convnet4-8"
    assert teacher.card.judge == teacher.judge.card.model
    assert teacher.judge.card.judge is None
    assert teacher.judge.card.classes == teacher.card.classes
    assert teacher.card.command.endswith(" --judge")
    run = open_run(Config.parse({**FEW, "teacher": str(tmp_path / "mine")}))
    assert len([event for event in run.events() if isinstance(event, SecondOpinion)]) == 2

    # Another teacher in the same folder has no judge that never saw its images, nor the held-back ones of the first.
    assert main(words) == 0
    assert not (tmp_path / "mine" / "judge").exists()
    assert (tmp_path / "mine" / HELD_OUT).exists()
    shutil.copytree(tmp_path / "images", tmp_path / "parts" / "train")
    shutil.copytree(tmp_path / "images", tmp_path / "parts" / "test")
    assert main([*words[:2], str(tmp_path / "parts"), *words[3:]]) == 0
    assert not (tmp_path / "mine" / HELD_OUT).exists()


def test_a_stop_while_the_judge_is_trained_leaves_no_teacher_without_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*given: object) -> torch.Generator:
        raise KeyboardInterrupt

    for place, name in enumerate(("cat", "dog")):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("L", (8, 8), 120 * place + number).save(tmp_path / "images" / name / f"{number}.png")
    monkeypatch.setattr("nayer.teachers.train_custom.judge_rng", stopped)
    words = ["teach", "--data", str(tmp_path / "images"), "--out", str(tmp_path / "mine"), "--epochs", "1", "--judge"]
    assert main(words) == INTERRUPTED
    assert "Nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("number", [1, 4, 7])
def test_a_stop_while_a_teacher_is_written_leaves_the_former_one_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    for place, name in enumerate(("cat", "dog")):
        (tmp_path / "images" / name).mkdir(parents=True)
        for picture in range(10):
            Image.new("L", (8, 8), 120 * place + picture).save(tmp_path / "images" / name / f"{picture}.png")
    words = ["teach", "--data", str(tmp_path / "images"), "--out", str(tmp_path / "mine"), "--epochs", "1", "--judge"]
    assert main(words) == 0
    before = {path: path.read_bytes() for path in (tmp_path / "mine").rglob("*") if path.is_file()}
    assert len(before) == 7
    capsys.readouterr()
    written, sync = 0, os.fsync

    def stopped(handle: int) -> None:
        nonlocal written
        facts = os.fstat(handle)
        written += facts.st_size > 0 and stat.S_ISREG(facts.st_mode)
        if written == number:
            signal.raise_signal(signal.SIGINT)
        sync(handle)

    monkeypatch.setattr(os, "fsync", stopped)
    assert main([*words, "--seed", "1"]) == INTERRUPTED
    assert "Nothing was written" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (tmp_path / "mine").rglob("*") if path.is_file()} == before


def test_a_judge_is_of_another_family_and_another_seed_than_its_teacher() -> None:
    for recipe in RECIPES.values():
        family = parse_architecture(recipe.judge or judge_architecture(recipe.model, 32))[0]
        assert family != parse_architecture(recipe.model)[0]
    assert judge_architecture("convnet4-24", 32) == "resnet8-16"


def test_a_shipped_judge_is_found_by_the_data_set(judge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "JUDGES", judge.parent)
    found = load_teacher("digits").judge
    assert found is not None
    assert found.card == read_card(judge, "judge")
    assert not any(parameter.requires_grad for parameter in found.network.parameters())
    assert not found.network.training


def test_the_folders_own_judge_comes_first(mine: Path, judge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "JUDGES", judge.parent)
    changed(mine / "judge", title="Mine")
    found = load_teacher(str(mine)).judge
    assert found is not None
    assert found.card.title == "Mine"


@pytest.mark.parametrize("name", ["../mine", "digits/../digits", "", "/", "x" * 300])
def test_a_data_sets_name_leads_nowhere_else(
    mine: Path, judge: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(cards, "JUDGES", judge.parent)
    shutil.rmtree(mine / "judge")
    changed(mine, testset=name)
    assert load_teacher(str(mine)).judge is None


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x"), r"does not match the sha256"),
        (lambda folder: (folder / "model.safetensors").unlink(), r"model\.safetensors cannot be read"),
        (lambda folder: (folder / "config.json").write_text("{"), r"config\.json is wrong at the file"),
        (lambda folder: changed(folder, classes=[*"abcdefghij"]), r"knows other classes than the teacher"),
    ],
)
def test_a_damaged_judge_is_a_note_and_the_run_goes_on(mine: Path, damage, sentence: str) -> None:  # type: ignore[no-untyped-def]
    damage(mine / "judge")
    teacher = load_teacher(str(mine))
    assert teacher.judge is None
    events = list(open_run(Config.parse({**FEW, "teacher": str(mine)})).events())
    notes = [event.message for event in events if isinstance(event, Note) and "second opinion" in event.message]
    assert len(notes) == 1
    assert re.search(sentence, notes[0])
    assert not [event for event in events if isinstance(event, SecondOpinion)]


def test_memory_and_work_count_it(judge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card, settings = read_card(SHIPPED / "digits"), Config.parse({**FEW, "teacher": "digits"})
    monkeypatch.setattr(cards, "JUDGES", judge.parent / "none")
    without = use_of(settings, card)
    monkeypatch.setattr(cards, "JUDGES", judge.parent)
    shipped = use_of(settings, card)
    bytes_of_it = sum(value.nbytes for value in build(read_card(judge).model).state_dict().values())
    assert shipped.kept["teacher"] - without.kept["teacher"] == pytest.approx(bytes_of_it, abs=200)
    assert shipped.work > without.work
    wide = card.model.model_copy(update={"architecture": "convnet4-64"})
    assert use_of(settings, card, None, wide).kept["teacher"] > shipped.kept["teacher"]
    assert use_of(settings, card, None, wide).work > shipped.work


def with_judge(**parts: object) -> UploadedTeacher:
    judged = config(model={**json.loads(config())["model"], "architecture": "convnet4-1"})
    return uploaded(**{"judge_config": judged, "judge_weights": weights(architecture="convnet4-1"), **parts})


def test_an_uploaded_teacher_may_have_its_judge() -> None:
    came = with_judge()
    teacher, _ = opened(came)
    assert teacher.judge is not None
    assert teacher.judge.card.model.architecture == "convnet4-1"
    assert came.name != uploaded().name
    assert teacher.card.judge == teacher.judge.card.model
    assert "Its judge (convnet4-1) gives a second opinion on its images." in remarks(teacher, None)
    settings = Config.parse({**FEW, "teacher": "digits"})
    assert use_of(settings, came.card()).work > use_of(settings, uploaded().card()).work
    assert came.size > uploaded().size
    back = UploadedTeacher.unpacked(came.packed())
    assert (back.judge_config, back.judge_weights) == (came.judge_config, came.judge_weights)
    renamed = opened(with_judge(classes=("sun", "box", "dot")))[0]
    assert renamed.judge is not None
    assert renamed.judge.card.classes == ("sun", "box", "dot")


def test_one_without_is_named_and_packed_as_ever() -> None:
    plain = uploaded()
    parts = (plain.config, plain.weights, b"", b"")
    digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
    assert plain.name == f"upload-{digest[:16]}"
    assert not UploadedTeacher.unpacked(plain.packed()).has_judge


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"judge_weights": b""}, "needs both config.json and model.safetensors"),
        ({"judge_config": b""}, "needs both config.json and model.safetensors"),
        ({"judge_weights": b"\0" * (9 << 20)}, "larger than 8 MB"),
        ({"judge_weights": b"PK"}, "is not a safetensors file"),
        ({"judge_config": config(classes=["a", "b", "c"])}, "knows other classes"),
        ({"judge_config": config(), "judge_weights": weights(architecture="plainnet-1")}, "does not fit|missing"),
    ],
)
def test_an_uploaded_judge_is_checked_as_a_teacher_is(parts: dict[str, object], sentence: str) -> None:
    with pytest.raises(AssetError, match=sentence):
        opened(with_judge(**parts))
