"""A comparison keeps what is done, repeats what is not, and its table says what its outcomes hold."""

import csv
import dataclasses
import io
import json
import time

import pytest
from PIL import Image

from nayer import compare as comparing
from nayer.arms import EXPERIMENTS, arms_of, experiment, grid, of_presets
from nayer.cli import main
from nayer.compare import Outcome, read, write
from nayer.comparison import markdown, table
from nayer.config import Config
from nayer.errors import ConfigError, StorageError

QUICK = ["--teacher", "digits", "--rounds", "2", "--warmup-rounds", "1", "--generator-steps", "2"]
QUICK += ["--student-steps", "2", "--noisy-width", "32", "--device", "cpu"]


def outcome(arm: str, seed: int, curve: list, **more: object) -> Outcome:
    made = Outcome(arm, seed, {"seconds": 60.0, "rounds": 9}, 100.0, curve=curve, teacher_accuracy=0.9)
    return dataclasses.replace(made, **more)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_ready_made_experiments_arms_differ_in_what_it_asks_about_only(name):
    arms = arms_of(experiment(name).variations, {"teacher": "digits", "seed": 7, "seconds": 5.0})
    assert 2 <= len(arms) <= 5
    assert len({arm.title for arm in arms}) == len(arms)
    configs = [arm.config.model_dump() for arm in arms]
    assert {(one["teacher"], one["seed"], one["seconds"], one["rounds"]) for one in configs} == {
        ("digits", 7, 5.0, 100_000)
    }
    differing = {field for field in configs[0] if len({str(one[field]) for one in configs}) > 1}
    asked = {"reset": {"noisy_reset_every"}, "table": {"latent"}, "routing": {"routing"}}
    assert differing == asked.get(name, differing)


def test_a_grid_has_every_combination():
    made = grid(grid(of_presets(["nayer", "fast"]), "student_lr", [0.1, 0.2]), "bn_weight", [1.0])
    assert [one.title for one in made][:2] == [
        "nayer student_lr=0.1 bn_weight=1.0",
        "nayer student_lr=0.2 bn_weight=1.0",
    ]
    assert len(made) == 4
    assert made[3].changes == {"student_lr": 0.2, "bn_weight": 1.0}


@pytest.mark.parametrize("ask", [lambda: experiment("resets"), lambda: of_presets(["nayer", "gan"])])
def test_an_unknown_name_is_refused_with_those_that_exist(ask):
    with pytest.raises(ConfigError, match=r"does not exist; use one of .*(reset|nayer)"):
        ask()


def test_times_to_a_share_are_the_first_that_reach_it():
    one = outcome("A", 0, [(1.0, 0.5), (2.0, 0.73), (3.0, 0.6), (4.0, 0.82)])
    assert one.accuracy == 0.82
    assert (one.seconds_to(0.8), one.seconds_to(0.9), one.seconds_to(0.95)) == (2.0, 4.0, None)


def test_the_table_holds_means_spreads_and_how_many_got_there():
    outcomes = [
        outcome(
            "A", 0, [(10.0, 0.8)], rounds=10, diversity={"label_hit": 0.9, "within.samples": 2.0, "within.noise": 1.0}
        ),
        outcome(
            "A", 1, [(20.0, 0.84)], rounds=12, diversity={"label_hit": 0.8, "within.samples": 4.0, "within.noise": 1.0}
        ),
        outcome("B", 0, [(30.0, 0.5)]),
        outcome("B", 1, [], failure="the student's loss became nan."),
    ]
    said = markdown(outcomes)
    assert "| A | 2 | 82.0 ± 2.8 | 15 | 20 (1 of 2) | – | 11 | 85 % | 3.00 (1.00, –) | – | – |" in said
    assert "| B | 2 | 50.0 | – | – | – | 0 | – | – | – | – |" in said
    assert "With seed 0 A ended with the highest accuracy (80.0): 30.0 points above B; one seed proves nothing." in said
    assert "Failed: B, seed 1: the student's loss became nan." in said
    rows = list(csv.DictReader(io.StringIO(table(outcomes))))
    assert [row["seconds_to_90"] for row in rows] == ["", "20.0", "", ""]
    assert rows[3]["failure"] == "the student's loss became nan."


def test_what_is_written_is_read_again_and_damage_is_said(tmp_path):
    one = outcome("A", 0, [(1.0, 0.5)])
    write(one, tmp_path / "a.json")
    assert [tuple(point) for point in read(tmp_path / "a.json").curve] == one.curve
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(StorageError, match="holds no outcome"):
        read(tmp_path / "a.json")


def test_a_comparison_resumes_and_writes_table_curves_and_samples(tmp_path, capsys, monkeypatch):
    command = ["compare", "--presets", "nayer,dfq", "--seeds", "0,1", "--out", str(tmp_path), *QUICK]
    real, ran = comparing.observed, []

    def counted(arm, seed, *rest):
        ran.append((arm.title, seed))
        if len(ran) == 3:
            raise KeyboardInterrupt
        return real(arm, seed, *rest)

    monkeypatch.setattr("nayer.cli_compare.observed", counted)
    assert main(command) == 130
    assert ran == [("nayer", 0), ("dfq", 0), ("nayer", 1)]
    assert main(command) == 0
    assert ran[3:] == [("nayer", 1), ("dfq", 1)]
    said = capsys.readouterr().out
    assert said == (tmp_path / "table.md").read_text()
    assert "| nayer | 2 |" in said
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 5
    for name in ("curves.png", "samples.png"):
        with Image.open(tmp_path / name) as picture:
            assert min(picture.size) > 100
    stored = json.loads((tmp_path / "runs" / "nayer-0.json").read_text())
    assert Config.parse(stored["config"]).rounds == 2
    assert stored["diversity"]["within.samples"] >= 1
    assert main([*command, "--student-steps", "3"]) == 2
    assert "with another student_steps; name another folder." in capsys.readouterr().err


def test_an_arm_that_fails_is_told_of_and_the_others_go_on(tmp_path, capsys):
    command = ["compare", "--presets", "nayer", "--vary", "student_lr=0.05,10", "--seeds", "0", "--out", str(tmp_path)]
    assert main([*command, *QUICK, "--weight-decay", "1", "--rounds", "60"]) == 1
    said = capsys.readouterr().out
    assert "Failed: nayer student_lr=10.0, seed 0: the student's loss became" in said
    assert "| nayer student_lr=0.05 | 1 |" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "needs either --presets or --experiment"),
        (["--presets", "nayer", "--experiment", "reset"], "needs either"),
        (["--presets", "nayer,gan"], "preset='gan' does not exist"),
        (["--presets", "nayer,nayer"], "'nayer' is there twice"),
        (["--experiment", "x"], "experiment='x' does not exist"),
        (["--presets", "nayer", "--seeds", "a"], "seeds='a' does not work"),
        (["--presets", "nayer", "--vary", "speed=1"], "vary='speed=1' does not work"),
        (["--presets", "nayer", "--vary", "routing=both"], "routing='both' does not work"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, capsys, arguments, says):
    assert main(["compare", *arguments, "--out", str(tmp_path / "x")]) == 2
    assert says in capsys.readouterr().err


def test_the_processors_clock_stands_still_while_nobody_works(tmp_path, capsys):
    command = ["compare", "--presets", "nayer", "--seeds", "0", "--clock", "cpu", "--out", str(tmp_path), *QUICK]
    assert main(command) == 0
    before = time.process_time()
    time.sleep(0.2)
    assert comparing.CLOCKS["cpu"]() - before < 0.1
    assert read(tmp_path / "runs" / "nayer-0.json").clock == "cpu"
    assert main([*command, "--clock", "wall"]) == 2
    assert "with another clock" in capsys.readouterr().err
