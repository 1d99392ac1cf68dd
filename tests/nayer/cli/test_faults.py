"""What goes wrong around a command: an exit code that is right, one sentence, and nothing left lying about.

Row 24 of the reliability table tries several hundred cases more.
"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from nayer.cli.main import main
from nayer.runs import checkpoints
from tests.reliability.commands import ENDLESS, SMALL
from tests.support.repository import ROOT

QUIET = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def in_shell(words, shell, folder, **variables):
    """A command with what a shell adds, such as a redirection: its exit code and what it said."""
    line = "set -o pipefail; " + " ".join([sys.executable, "-m", "nayer", *map(str, words)]) + " " + shell
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env={**os.environ, **QUIET, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stderr


def sentence(told):
    (line,) = told.splitlines()
    assert re.fullmatch(r"[^\n]{10,700}\.", line), told
    return line


@pytest.mark.parametrize(
    ("words", "shell", "code", "said"),
    [
        ("list teachers", ">/dev/full", 1, r"^Standard output cannot be written \(No space left on device\)"),
        ("list teachers", ">&-", 1, r"^Standard output cannot be written \(Bad file descriptor\)"),
        ("list teachers", "2>&-", 0, "^$"),
        ("list teachers", "2>/dev/full", 0, "^$"),
        ("list teachers", "<&- >&- 2>&-", 1, "^$"),
        ("list settings", "| true", 141, "^$"),
        ("distil", "2>/dev/full", 2, "^$"),
        ("distil", ">&-", 2, r"^command must be one of .*; 'distil' was given"),
    ],
)
def test_a_stream_that_is_closed_full_or_unread_is_one_sentence(words, shell, code, said, tmp_path):
    ended, told = in_shell(words.split(), shell, tmp_path)
    assert (ended, "Traceback" in told) == (code, False)
    assert re.search(said, told)
    assert not list(tmp_path.iterdir())


def test_an_encoding_without_our_characters_gets_escapes(tmp_path):
    code, told = in_shell(["list", "settings"], ">/dev/null", tmp_path, LC_ALL="C", PYTHONUTF8="0")
    assert (code, told) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_how_to_go_on(number, teacher_folder, tmp_path):
    words = [
        sys.executable,
        "-m",
        "nayer",
        "distill",
        "--teacher",
        teacher_folder,
        *ENDLESS,
        "--json",
        "-",
        "--out",
        "o",
    ]
    with subprocess.Popen(
        words, cwd=tmp_path, env={**os.environ, **QUIET}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        next(line for line in process.stdout if '"round_finished"' in line)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert re.search(r"^Stopped\. `python -m nayer distill --resume o` continues with round \d+\.$", told, re.MULTILINE)
    assert not [path.name for path in (tmp_path / "o").iterdir() if path.name.startswith(".")]


def test_ctrl_c_while_a_command_is_imported_shows_no_traceback(tmp_path):
    code = """
import builtins, runpy, signal
real = builtins.__import__
def stop(name, *more, **named):
    if name == "argparse":
        signal.raise_signal(signal.SIGINT)
    return real(name, *more, **named)
builtins.__import__ = stop
runpy.run_module("nayer.__main__", run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["FIFO", "device"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("config.json", ["distill", "--teacher", "."]),
        ("test.parquet", ["distill", "--teacher", "{teacher}", *SMALL, "--test-data", "."]),
        ("t10k-images-idx3-ubyte.gz", ["distill", "--teacher", "{teacher}", *SMALL, "--test-data", "."]),
        ("cat/1.png", ["distill", "--teacher", "{teacher}", *SMALL, "--test-data", "."]),
        ("t.zip", ["distill", "--teacher", "{teacher}", *SMALL, "--test-data", "t.zip"]),
        ("t.parquet", ["teach", "--data", "t.parquet", "--out", "o"]),
        ("checkpoint.safetensors", ["distill", "--resume", "."]),
        ("runs/dfq-0.json", ["compare", "--presets", "dfq", "--seeds", "0", "--out", "."]),
        ("a.json", ["bench", "--against", "a.json"]),
        ("tokenizer.json", ["embed", "cat", "dog", "--encoder", ".", "--out", "o"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_regular_file_is_never_read(name, words, make, teacher_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    make(tmp_path / name)
    assert main([str(teacher_folder) if word == "{teacher}" else word for word in words]) in (1, 2)
    sentence(capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == [name.split("/")[0]]


@pytest.mark.parametrize("flag", ["--out", "--json", "--record", "--resume"])
@pytest.mark.parametrize(
    "place", ["", "\udcff", "x" * 5000, "file/x", "loop"], ids=["none", "bytes", "long", "below a file", "loop"]
)
def test_a_place_that_cannot_be_is_told_before_the_run(flag, place, teacher_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    assert main(["distill", "--teacher", str(teacher_folder), *SMALL, flag, place]) in (1, 2)
    sentence(capsys.readouterr().err)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "loop"}


@pytest.mark.parametrize("number", ["-1", "9" * 5000, "x" * 100_000, "nan", "", "\x1b[31m"], ids=repr)
@pytest.mark.parametrize(
    "words", ["bench --threads", "compare --presets dfq --out o --threads", "teach digits --epochs", "distill --rounds"]
)
def test_an_absurd_number_is_one_short_sentence(words, number, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*words.split(), number]) == 2
    assert sentence(capsys.readouterr().err).isprintable()
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_that_cannot_be_written_is_told_at_once_and_ends_in_1(
    teacher_folder, tmp_path, monkeypatch, capsys
):
    write_whole = checkpoints.write_whole

    def full(path, content):
        write_whole(Path("/dev/full/x") if path.name == checkpoints.NAME else path, content)

    monkeypatch.setattr(checkpoints, "write_whole", full)
    out = tmp_path / "o"
    assert main(["distill", "--teacher", str(teacher_folder), *SMALL, "--out", str(out)]) == 1
    told = capsys.readouterr().err
    assert told.index("The run continues and tries again.") < told.index("round 2 of 2")
    assert (out / "student.safetensors").exists()


def test_what_has_no_name_of_ours_is_a_sentence_too(monkeypatch, capsys):
    monkeypatch.setattr("nayer.cli.list.LISTS", {"teachers": lambda preset: 1 / 0})
    assert main(["list", "teachers"]) == 1
    assert "ZeroDivisionError" in sentence(capsys.readouterr().err)


@pytest.fixture(scope="module")
def finished(teacher_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "one"
    assert main(["distill", "--teacher", str(teacher_folder), *SMALL, "--out", str(folder)]) == 0
    return (folder / checkpoints.NAME).read_bytes()


def resumed(folder, content, capsys):
    (folder / checkpoints.NAME).write_bytes(content)
    code = main(["distill", "--resume", str(folder), "--rounds", "3"])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.99])
def test_a_bit_that_flips_in_a_checkpoint_is_found(share, finished, tmp_path, capsys):
    content = bytearray(finished)
    content[int(len(content) * share)] ^= 0x40
    code, told = resumed(tmp_path, bytes(content), capsys)
    assert code == 1
    sentence(told)


def test_a_run_is_resumed_with_the_teacher_it_had_and_no_other(finished, tmp_path, capsys):
    assert resumed(tmp_path, changed(finished, teacher="0" * 64), capsys)[0] == 1
    assert resumed(tmp_path, finished, capsys)[0] == 0


@pytest.mark.parametrize("counters", ["[1]", "NaN", "{}", '{"round": -1}', '{"round": "x"}', "{"])
def test_counters_that_count_nothing_are_refused(counters, finished, tmp_path, capsys):
    code, told = resumed(tmp_path, changed(finished, counters=counters), capsys)
    assert code == 1
    sentence(told)


def changed(content, **about):
    """A checkpoint that says otherwise of itself, and has no SHA-256, as those of earlier versions."""
    length = int.from_bytes(content[:8], "little")
    told = json.loads(content[8 : 8 + length])
    del told["__metadata__"]["sha256"]
    told["__metadata__"] |= about
    said = json.dumps(told).encode()
    return len(said).to_bytes(8, "little") + said + content[8 + length :]


def test_a_name_that_nothing_uses_is_refused_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for words, said in (
        (["list", "teachers", "--preset", "nope"], "preset must be one of"),
        (["embed", "a", "b", "--record-as", "\x1b[31m", "--out", "t"], "record-as must be a text of at most 256"),
        (["embed", "a", "b", "--record-as", "x" * 257, "--out", "t"], "record-as must be a text of at most 256"),
    ):
        assert main(words) == 2
        assert said in sentence(capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_a_picture_that_pillow_warns_of_is_one_sentence_without_a_warning(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        Image.new("1", (10_000, 10_000)).save(tmp_path / "images" / name / "1.png")
    code, told = in_shell(["teach", "--data", "images", "--out", "out"], "", tmp_path)
    assert code == 1
    assert sentence(told) == "cat/1.png is 10000 × 10000 px; at most 1024 px per side are read."
