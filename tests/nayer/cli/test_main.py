"""The command line: flags are the settings, failures are one sentence, and what a run leaves can be used."""

import contextlib
import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from nayer import presets
from nayer.cli.main import COMMANDS, main, parser_for
from nayer.cli.options import flag_of, given_settings, help_of
from nayer.cli.progress import Progress
from nayer.config import settings
from nayer.distillation.train import synthesize
from nayer.events import GeneratorStep, RoundFinished
from nayer.exports.run_folder import load_student
from nayer.networks.cards import teacher_cards
from tests.support.repository import ROOT

SMALL = {
    "latent": "one-hot",
    "rounds": 3,
    "warmup_rounds": 1,
    "generator_steps": 2,
    "generator_width": 2,
    "noisy_width": 16,
    "synthesis_batch": 9,
    "student_steps": 2,
    "student_batch": 4,
    "held_back": 0.2,
}


def words(**values):
    """`--generator-steps 2` and so on, as a shell would hand them over."""
    return [word for name, value in values.items() for word in (flag_of(name), str(value))]


@pytest.fixture
def distill(teacher_folder):
    """Runs a tiny distillation with more flags; its exit code."""

    def run(*more, **changes):
        return main(["distill", "--teacher", str(teacher_folder), *words(**{**SMALL, **changes}), *map(str, more)])

    return run


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def metrics(folder):
    """The rows of a run's metrics, without the time they took."""
    rows = csv.DictReader(io.StringIO((folder / "metrics.csv").read_text("utf-8")))
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


# --- flags -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", settings(), ids=lambda s: s.name)
def test_every_setting_has_a_flag_that_gives_exactly_that_setting(field):
    other = {bool: not field.default, int: field.high, float: field.high, str: "{} x"}[field.kind]
    other = field.choices[-1] if field.choices else other
    flag = flag_of(field.name)
    given = [flag if other else "--no-" + flag[2:]] if field.kind is bool else [flag, str(other)]
    assert given_settings(parser_for("distill").parse_args(given)) == {field.name: other}


def test_no_flag_leaves_no_setting_behind():
    assert given_settings(parser_for("distill").parse_args([])) == {}


def test_the_help_tells_each_setting_its_bounds_and_its_default(capsys):
    assert main(["distill", "--help"]) == 0
    told = re.sub(r"\s+", " ", capsys.readouterr().out)
    for field in settings():
        assert flag_of(field.name) in told
        # argparse may break a word at its hyphen
        assert help_of(field).replace(" ", "") in told.replace(" ", "")


def test_only_given_flags_override_the_preset(distill, tmp_path):
    paper = presets.get("nayer-paper").config
    assert distill("--preset", "nayer-paper", "--out", tmp_path, "--no-flip", student_lr=0.05) == 0
    kept = json.loads((tmp_path / "config.json").read_text("utf-8"))["config"]
    given = {"teacher": kept["teacher"], "flip": False, "student_lr": 0.05, **SMALL}
    assert kept == {**paper.model_dump(), **given}


# --- a run and what it leaves ------------------------------------------------------------------------------------


def test_json_has_one_event_a_line_and_standard_output_nothing_else(distill, capsys):
    assert distill("--json", "-") == 0
    events = lines_of(capsys.readouterr().out)
    assert [events[0]["event"], events[-1]["event"]] == ["run_started", "run_finished"]
    for event in events:
        assert {"event", "round", "seconds"} <= event.keys()
    seconds = [event["seconds"] for event in events]
    assert seconds == sorted(seconds)
    measured = [event for event in events if event["event"] == "evaluated"]
    assert [event["round"] for event in measured] == [0, 1, 2]
    for event in measured:
        assert {"accuracy", "teacher_accuracy", "agreement"} <= event.keys()


def test_evaluations_are_shares_where_there_are_test_images(distill, teacher_folder, tmp_path, capsys):
    for name in ("cat", "dog", "boat"):
        (tmp_path / name).mkdir()
        Image.new("L", (8, 8), 100).save(tmp_path / name / "0.png")
    assert distill("--json", "-", test_data=tmp_path) == 0
    measured = [e for e in lines_of(capsys.readouterr().out) if e["event"] == "evaluated"]
    for event in measured:
        assert event["measured_on"] == "test images"
        # three equal images of three classes: whatever a network says, one of them is right
        assert event["accuracy"] == event["teacher_accuracy"] == pytest.approx(1 / 3)
        assert event["agreement"] in (0.0, 1.0)


def test_the_same_command_gives_the_same_events_and_another_seed_others(distill, tmp_path, capsys):
    def losses(seed):
        assert distill("--json", "-", seed=seed) == 0
        events = lines_of(capsys.readouterr().out)
        return [e["loss"] for e in events if e["event"] in ("generator_step", "student_step")]

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)


def test_out_gets_the_student_the_samples_the_metrics_and_the_config(distill, tmp_path, capsys):
    folder = tmp_path / "runs" / "one"
    assert distill("--out", folder, "--json", tmp_path / "events.jsonl") == 0
    names = {path.name for path in folder.iterdir()}
    files = {"student.safetensors", "student.py", "samples.png", "metrics.csv", "config.json", "run.yaml"}
    assert names == files | {"checkpoint.safetensors"}
    assert load_student(folder).spec.architecture == "lenet-2"
    assert [row["round"] for row in metrics(folder)] == ["1", "2", "3"]
    assert lines_of((tmp_path / "events.jsonl").read_text("utf-8"))[-1]["reason"] == "rounds done"
    told = capsys.readouterr()
    assert re.fullmatch(
        r"rounds done after \d+ s and 3 rounds: .*; files in .*\nIn this folder, `import student; .*\n", told.out
    )


def test_a_resumed_run_goes_on_where_it_was(distill, tmp_path, monkeypatch):
    assert distill("--out", tmp_path / "whole", rounds=4) == 0
    show = Progress.show

    def interrupt(progress, event):
        show(progress, event)
        if isinstance(event, RoundFinished) and event.round == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "show", interrupt)
        assert distill("--out", tmp_path / "parts", rounds=4) == 130
    student = (tmp_path / "parts" / "student.safetensors").read_bytes()
    assert main(["distill", "--resume", str(tmp_path / "parts")]) == 0
    whole, parts = ((tmp_path / run / "student.safetensors").read_bytes() for run in ("whole", "parts"))
    assert parts == whole != student
    whole_rows, rows = (metrics(tmp_path / run) for run in ("whole", "parts"))
    remembered = ("across_rounds", "over_pool")  # a checkpoint does not hold the images that these are measured on
    for row in (*whole_rows, *rows):
        for name in [name for name in row if name.startswith(remembered)]:
            del row[name]
    assert rows == whole_rows
    assert [row["round"] for row in rows] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("flag", [["--latent", "random"], ["--preset", "nayer"], ["--seed", "4"]])
def test_a_resumed_run_keeps_what_it_has_learned_with(distill, tmp_path, capsys, flag):
    assert distill("--out", tmp_path) == 0
    capsys.readouterr()
    assert main(["distill", "--resume", str(tmp_path), *flag]) == 2
    assert sentences(capsys.readouterr().err) == 1


def test_ctrl_c_stops_cleanly_and_keeps_what_there_is(teacher_folder, tmp_path):
    flags = words(**{**SMALL, "rounds": 100_000})
    command = [sys.executable, "-m", "nayer", "distill", "--teacher", str(teacher_folder), *flags]
    out = ["--out", str(tmp_path), "--json", "-"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*command, *out], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        read = []
        for line in process.stdout:
            read.append(line)
            if '"round_finished"' in line and '"round": 2' in line:
                process.send_signal(signal.SIGINT)
                break
        rest, told = process.communicate(timeout=60)
    assert process.returncode == 130
    events = lines_of("".join(read) + rest)
    assert events[-1]["event"] == "run_finished"
    assert events[-1]["reason"] == "stopped"
    assert "Traceback" not in told
    assert load_student(tmp_path).spec.classes == 3
    finished = [str(event["round"] + 1) for event in events if event["event"] == "round_finished"]
    assert [row["round"] for row in metrics(tmp_path)] == finished


def test_a_reader_that_leaves_ends_the_run(teacher_folder):
    flags = words(**{**SMALL, "rounds": 100_000})
    command = [sys.executable, "-m", "nayer", "distill", "--teacher", str(teacher_folder), *flags, "--json", "-"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
        process.wait(timeout=60)
    assert process.returncode == 141
    assert "rror" not in told


# --- failures ----------------------------------------------------------------------------------------------------


def sentences(text):
    """How many lines, each of which must be a sentence."""
    lines = text.splitlines()
    assert all(line.endswith(".") for line in lines), text
    return len(lines)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["distill", "--rounds", "0"], "rounds must be a whole number from 1 to 100,000; 0 was given"),
        (["distill", "--rounds", "many"], "rounds must be a whole number from 1 to 100,000; 'many' was given"),
        (["distill", "--ce-weight", "nan"], "ce_weight must be a number from 0 to 100; nan was given"),
        (
            ["distill", "--latent", "words"],
            "latent must be one of lte, one-hot, random, shuffled, none; 'words' was given",
        ),
        (["distill", "--preset", "nobody"], "'nobody' was given"),
        (["distill", "--teacher", "nobody"], "teacher='nobody'"),
        (["distill", "--teacher", "digits", "--student", "lenet-0"], "'lenet-0' was given"),
        (["distill", "--gen", "3"], "--gen"),
        (["distill", "--seed"], "--seed"),
        (["distil"], "'distil' was given"),
        (["list", "papers"], "list must be one of teachers, presets, settings; 'papers' was given"),
        (["teach"], "--data and --out"),
        (["embed", "--out"], "--out"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_so_is_one_sentence_and_exit_code_2(given, named, capsys):
    assert main(given) == 2
    told = capsys.readouterr()
    assert sentences(told.err) == 1
    assert named in told.err
    assert told.out == ""


def test_no_command_shows_which_there_are(capsys):
    assert main([]) == 2
    told = capsys.readouterr().out
    assert all(name in told for name in COMMANDS)


def test_a_damaged_teacher_is_one_sentence_and_exit_code_1(distill, teacher_folder, tmp_path, capsys):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((teacher_folder / name).read_bytes())
    with (tmp_path / "model.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x07")
    assert main(["distill", "--teacher", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert sentences(told) == 1
    assert "sha256" in told


@pytest.mark.parametrize("flag", ["--out", "--json"])
def test_a_place_that_cannot_be_written_is_told_before_training(distill, flag, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert distill(flag, tmp_path / "file" / "inside") == 1
    told = capsys.readouterr()
    assert sentences(told.err) == 1
    assert "file" in told.err
    assert told.out == ""


def test_a_disk_that_fills_up_does_not_lose_the_student(distill, tmp_path, monkeypatch, capsys):
    out, refuge = tmp_path / "out", tmp_path / "elsewhere"
    refuge.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(refuge))
    replace = os.replace

    def full(source, target):
        if Path(target).parent == out and not Path(target).name.startswith(".writable"):
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr("os.replace", full)
    assert distill("--out", out, "--json", tmp_path / "events.jsonl") == 1
    told = capsys.readouterr().err
    assert "No space left on device" in told
    (kept,) = refuge.iterdir()
    assert str(kept) in told
    assert load_student(kept).spec.classes == 3
    assert not out.exists()


def test_a_run_that_diverges_is_told_and_its_last_finite_student_kept(distill, tmp_path, monkeypatch, capsys):
    def poisoned(task, state, report):
        """Real synthesis, with weights that are no numbers any more from the third round on."""
        if state.round == 2:
            for parameter in state.generator.parameters():
                parameter.data.fill_(float("nan"))
        return (yield from synthesize(task, state, report))

    monkeypatch.setattr("nayer.distillation.train.synthesize", poisoned)
    assert distill("--out", tmp_path, "--json", tmp_path / "events.jsonl") == 1
    told = capsys.readouterr().err
    assert "Traceback" not in told
    events = lines_of((tmp_path / "events.jsonl").read_text("utf-8"))
    assert events[-1]["event"] == "run_failed"
    assert events[-1]["message"] in told
    assert all(parameter.isfinite().all() for parameter in load_student(tmp_path).parameters())


def test_steps_are_events_the_progress_line_can_follow(distill, monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(Progress, "show", lambda self, event: seen.append(event))
    assert distill() == 0
    assert sum(isinstance(event, GeneratorStep) for event in seen) == SMALL["rounds"] * SMALL["generator_steps"]


def test_a_terminal_gets_one_live_line(distill, monkeypatch):
    master, slave = pty.openpty()
    told = []

    def read():
        with contextlib.suppress(OSError):  # the terminal is closed
            while piece := os.read(master, 4096):
                told.append(piece)

    reader = threading.Thread(target=read)
    with os.fdopen(slave, "w") as terminal:
        reader.start()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", terminal)
            patch.setenv("TERM", "xterm")
            patch.setenv("COLUMNS", "160")
            assert distill() == 0
    reader.join(timeout=10)
    os.close(master)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", b"".join(told).decode())
    lines = [line.rstrip("\r").split("\r")[-1] for line in text.split("\n")]  # what stays to be seen
    notes = [line for line in lines if line.startswith("There are no labeled test images")]
    assert len(notes) == 1
    assert re.search(
        r"round 3 of 3 · \d+ s · agreement with the teacher .* · losses: generator .*, student ", lines[-2]
    )


@pytest.mark.parametrize("what", ["teachers", "presets", "settings"])
def test_lists_name_what_there_is(what, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["list", what]) == 0
    told = capsys.readouterr().out
    wanted = {
        "teachers": [card.name for card in teacher_cards()],
        "presets": list(presets.PRESETS),
        "settings": [flag_of(setting.name) for setting in settings()],
    }
    assert all(name in told for name in wanted[what])
