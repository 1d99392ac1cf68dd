"""What the machine cannot hold is refused by the command line before it begins, and the limit can be lifted."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from nayer.cli import memory
from nayer.cli.main import main, parser_for
from nayer.cli.memory import memory_limit

GIANT = ["--student", "wrn40-128", "--rounds", "1"]


@pytest.mark.parametrize(
    "words",
    [
        ["distill", "--teacher", "digits", *GIANT],
        ["compare", "--teacher", "digits", "--presets", "nayer,dfad", "--out", "OUT", *GIANT],
    ],
)
def test_a_giant_is_one_sentence_and_exit_code_2(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(out) if word == "OUT" else word for word in words] + ["--memory-limit", "4"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("student=wrn40-128 needs too much memory")
    assert told.count("\n") == 1
    assert not out.exists()


def test_the_limit_is_the_machines_until_another_is_given_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "limit_for_a_run", lambda: 5e9)
    parser = parser_for("distill")
    assert memory_limit(parser.parse_args([])) == (5e9, "the limit of this machine is")
    assert memory_limit(parser.parse_args(["--memory-limit", "2.5"])) == (2.5e9, "--memory-limit allows")
    assert memory_limit(parser.parse_args(["--memory-limit", "0"]))[0] == float("inf")


def test_a_limit_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distill", "--teacher", "digits", "--memory-limit", "-1"]) == 2
    assert "memory-limit must be a number of GB" in capsys.readouterr().err


def test_a_teacher_that_cannot_be_taught_here_is_refused_before_its_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "images"
    for label, number in [(label, number) for label in ("cat", "dog") for number in range(10)]:
        (data / label).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (10 * number, 90, 30)).save(data / label / f"{number}.png")
    words = [
        "teach",
        "--data",
        str(data),
        "--out",
        str(tmp_path / "out"),
        "--model",
        "wrn40-128",
        "--memory-limit",
        "2",
    ]
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("model=wrn40-128 needs too much memory: batches of ")
