"""A comparison keeps what is done, repeats what is not, and its table says what its outcomes hold."""

import csv
import dataclasses
import io
import json
import re
import time

import numpy as np
import pytest
from PIL import Image

from nayer.cli.main import main
from nayer.compare import outcome as comparing
from nayer.compare import run_jobs
from nayer.compare.charts import samples
from nayer.compare.experiments import EXPERIMENTS, Arm, arms_of, experiment, grid, of_presets
from nayer.compare.outcome import Observer, Outcome, read, write
from nayer.compare.run_jobs import run_one
from nayer.compare.tables import markdown, table
from nayer.config import Config
from nayer.distillation.evaluation import TestImages
from nayer.errors import ConfigError, StorageError
from nayer.events import SecondOpinion
from tests.support.tiny import tiny_config

QUICK = ["--teacher", "digits", "--rounds", "2", "--warmup-rounds", "1", "--generator-steps", "2"]
QUICK += ["--student-steps", "2", "--noisy-width", "32", "--device", "cpu", "--test-images", "50"]


def outcome(arm: str, seed: int, curve: list, **more: object) -> Outcome:
    made = Outcome(arm, seed, Config(seconds=60.0).model_dump(), 100.0, curve=curve, teacher_accuracy=0.9)
    return dataclasses.replace(made, **more)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_ready_made_experiments_arms_differ_in_what_it_asks_about_only(name):
    arms = arms_of(experiment(name).variations, {"teacher": "digits", "seed": 7, "work": 5.0})
    assert 2 <= len(arms) <= 6
    assert len({arm.title for arm in arms}) == len(arms)
    configs = [arm.config.model_dump() for arm in arms]
    assert {(one["teacher"], one["seed"], one["work"], one["rounds"]) for one in configs} == {
        ("digits", 7, 5.0, 100_000)
    }
    differing = {field for field in configs[0] if len({str(one[field]) for one in configs}) > 1}
    asked = {"reset": {"noisy_reset_every"}, "table": {"latent"}, "routing": {"routing"}}
    assert differing == asked.get(name, differing)


def test_without_test_images_the_table_has_an_agreement_and_no_accuracy():
    heading, _, row = markdown(
        [outcome("A", 0, [(1.0, 0.7)], agreement=0.7, teacher_accuracy=None, measured_on="held-back samples")]
    ).splitlines()[:3]
    assert "agreement %" in heading
    assert "accuracy %" not in heading
    assert "70.0" in row


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
    with pytest.raises(ConfigError, match=r"must be one of .*(reset|nayer)"):
        ask()


def test_times_to_a_share_are_the_first_that_reach_it():
    one = outcome("A", 0, [(1.0, 0.5), (2.0, 0.73), (3.0, 0.6), (4.0, 0.82)])
    assert one.accuracy == 0.82
    assert (one.seconds_to(0.8), one.seconds_to(0.9), one.seconds_to(0.95)) == (2.0, 4.0, None)


def test_a_seed_that_never_got_there_counts_as_longest():
    curves = ([(4.0, 0.9)], [(14.0, 0.9)], [(90.0, 0.5)])
    assert "| A | 3 | 76.7 ± 23.1 | 14 (2 of 3) |" in markdown([outcome("A", seed, c) for seed, c in enumerate(curves)])


def test_the_table_holds_means_spreads_and_how_many_got_there():
    outcomes = [
        outcome(
            "A",
            0,
            [(10.0, 0.8)],
            rounds=10,
            diversity={"label_accuracy": 0.9, "within.samples": 2.0, "within.noise": 1.0},
        ),
        outcome(
            "A",
            1,
            [(20.0, 0.84)],
            rounds=12,
            diversity={"label_accuracy": 0.8, "within.samples": 4.0, "within.noise": 1.0},
        ),
        outcome("B", 0, [(30.0, 0.5)]),
        outcome("B", 1, [], failure="the student's loss became nan."),
    ]
    said = markdown(outcomes)
    assert "| arm | seeds | accuracy % | s to 80% | s to 90% | seconds | rounds |" in said  # nothing without a value
    assert "| A | 2 | 82.0 ± 2.8 | 15 | – (1 of 2) | 0.0 | 11 |" in said
    assert "| B | 2 (1 failed) | 50.0 | – | – | 0.0 | 0 |" in said
    assert "| A | 85 % | 3.00 (1.00, –) |" in said
    assert "With seed 0 A ended with the highest accuracy (80.0): 30.0 points above B; one seed proves nothing." in said
    assert "Failed: B, seed 1: the student's loss became nan." in said
    rows = list(csv.DictReader(io.StringIO(table(outcomes))))
    assert [row["seconds_to_90"] for row in rows] == ["", "20.0", "", ""]
    assert rows[3]["failure"] == "the student's loss became nan."


def test_images_that_nobody_wanted_as_a_class_have_no_label_accuracy_and_no_diversity_of_a_class():
    found = {
        "label_accuracy": 0.1,
        "within.samples": 3.0,
        "across.samples": 0.2,
        "rank.samples": 9.0,
        "class_balance": 0.5,
    }
    aimless = Config(seconds=60.0, ce_weight=0.0).model_dump()
    outcomes = [outcome("A", 0, [], diversity=found), outcome("B", 0, [], config=aimless, diversity=found)]
    said = markdown(outcomes)
    assert "| A | 10 % | 50 % | 3.00 (–, –) | 0.20 (–, –) | 9.00 (–, –) |" in said
    assert "| B | – | 50 % | – | – | 9.00 (–, –) |" in said
    assert "Arms without labels have no label accuracy" in said
    assert "diversity across" not in said.replace("Diversity", "")  # nobody to compare A with
    assert "without labels" not in markdown(outcomes[:1])


def test_a_second_opinion_is_a_column_where_there_is_a_judge():
    kept = {"label_accuracy": 0.9, "class_balance": 0.5}
    told = [outcome("A", 0, [], diversity=kept, second_opinion={"named": 0.25, "judge_confidence": 0.5})]
    told.append(outcome("B", 0, [], diversity=kept))
    said = markdown(told)
    assert "| arm | label accuracy | second opinion | classes seen |" in said
    assert "| A | 90 % | 25 % | 50 % |" in said
    assert "| B | 90 % | – | 50 % |" in said
    assert "a second network without a part in the run" in said
    rows = list(csv.DictReader(io.StringIO(table(told))))
    assert [(row["named"], row["judge_confidence"]) for row in rows] == [("0.25", "0.5"), ("", "")]
    assert "second opinion" not in markdown(told[1:])


def test_a_second_opinion_is_the_mean_of_the_latest_rounds():
    observer = Observer(outcome("A", 0, []))
    for place in range(7):
        shares = np.full(2, place / 10)
        observer.add(
            SecondOpinion(
                round=place,
                seconds=0.0,
                named=shares,
                confidence=shares,
                counts=np.array([1, 1]),
                named_share=place / 10,
                confidence_mean=place / 20,
                images=2,
            ),
            float(place),
        )
    assert observer.outcome.second_opinion == {"named": 0.4, "judge_confidence": 0.2}


def test_a_run_that_failed_is_in_no_mean():
    done, failed = (outcome("A", seed, [(1.0, 0.8)], agreement=0.7) for seed in (0, 1))
    failed.failure = "the student's loss became nan."
    assert "| A | 2 (1 failed) | 80.0 | 70.0 |" in markdown([done, failed])
    assert failed.accuracy is None


class Ticks:
    """A clock that goes on by a second a look."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        self.time += 1.0
        return self.time


def quick_outcome(monkeypatch: pytest.MonkeyPatch, *, measuring: float, **changes: object) -> Outcome:
    """Of a run on that clock, where to measure the student takes `measuring` seconds more."""
    clock, really = Ticks(), TestImages.__call__

    def slowly(self, student):
        clock.time += measuring
        return really(self, student)

    monkeypatch.setattr(TestImages, "__call__", slowly)
    monkeypatch.setitem(comparing.CLOCKS, "wall", clock)
    config = tiny_config(teacher="digits", synthesis_batch=10, generator_reset_every=0, **changes)
    return run_one(Arm("A", config), 0)[0]


def test_measuring_is_not_part_of_the_budget(monkeypatch):
    fast, slow = (
        quick_outcome(monkeypatch, measuring=more, rounds=1000, seconds=40.0, evaluate_every=1) for more in (0.0, 1e4)
    )
    assert fast.rounds > 1
    assert (fast.rounds, fast.curve, fast.seconds) == (slow.rounds, slow.curve, slow.seconds)
    assert slow.spent["measuring"] > 1e4 > slow.seconds
    for one in (fast, slow):
        assert one.seconds == sum(seconds for phase, seconds in one.spent.items() if phase != "measuring")


def test_the_student_is_measured_at_the_very_end(monkeypatch):
    one = quick_outcome(monkeypatch, measuring=0.0, rounds=1000, seconds=60.0, evaluate_every=1000)
    assert [accuracy for _, accuracy in one.curve] == [one.at_start, one.accuracy]
    assert one.agreement is not None
    often = quick_outcome(monkeypatch, measuring=0.0, rounds=5, evaluate_every=1)
    assert len(often.curve) == 1 + 5  # and not once more


def test_a_hundred_classes_and_a_lost_picture_are_drawn(tmp_path):
    grid_of_many = np.zeros((34, 3400, 3), np.uint8)
    made = samples({"A": grid_of_many, "lost": np.zeros((0, 0, 1), np.uint8)}, [str(label) for label in range(100)])
    with Image.open(io.BytesIO(made)) as picture:
        assert min(picture.size) > 100


def test_what_is_written_is_read_again_and_damage_is_said(tmp_path):
    one = outcome("A", 0, [(1.0, 0.5)])
    write(one, tmp_path / "a.json")
    assert [tuple(point) for point in read(tmp_path / "a.json").curve] == one.curve
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(StorageError, match="contains no outcome"):
        read(tmp_path / "a.json")


def test_a_comparison_resumes_and_writes_table_curves_and_samples(tmp_path, capsys, monkeypatch):
    command = ["compare", "--presets", "nayer,dfq", "--seeds", "0,1", "--out", str(tmp_path), *QUICK]
    real, ran = run_jobs.job_of, []

    def counted(arm, seed, *rest):
        job = real(arm, seed, *rest)

        def work(kept):
            ran.append((arm.title, seed))
            if len(ran) == 3:
                raise KeyboardInterrupt
            yield from job.work(kept)

        return dataclasses.replace(job, work=work)

    monkeypatch.setattr(run_jobs, "job_of", counted)
    assert main(command) == 130
    assert ran == [("nayer", 0), ("dfq", 0), ("nayer", 1)]
    assert "| nayer | 1 |" in (tmp_path / "table.md").read_text()  # of what was done by then
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
    (tmp_path / "runs" / "dfq-0.png").unlink()
    assert main(command) == 0
    assert len(ran) == 5
    for number in (0, 1):  # as they were written when measuring counted
        path = tmp_path / "runs" / f"nayer-{number}.json"
        before = json.loads(path.read_text())
        path.write_text(json.dumps({key: before[key] for key in before if key not in ("with_measuring", "threads")}))
    assert main(command) == 2
    assert "contains runs whose seconds include measuring" in capsys.readouterr().err
    assert main([*command, "--presets", "nayer"]) == 0  # by themselves they can be laid side by side
    assert "and for measurements" in capsys.readouterr().out
    assert main([*command, "--student-steps", "3"]) == 2
    assert "with a different student_steps; use another folder." in capsys.readouterr().err


def test_an_arm_that_fails_is_told_of_and_the_others_go_on(tmp_path, capsys):
    command = ["compare", "--presets", "nayer", "--vary", "student_lr=0.05,10", "--seeds", "0", "--out", str(tmp_path)]
    small = ["--generator-width", "2", "--synthesis-batch", "10", "--student-batch", "4", "--held-back", "0"]
    assert main([*command, *QUICK, *small, "--weight-decay", "1", "--rounds", "60", "--report-every", "100"]) == 1
    said = capsys.readouterr().out
    assert re.search(
        r"Failed: nayer student_lr=10.0, seed 0: the generator's loss became .* a smaller student_lr\.", said
    )
    assert "| nayer student_lr=0.05 | 1 |" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "needs --presets or --experiment"),
        (["--presets", "nayer", "--experiment", "reset"], "needs --presets or --experiment"),
        (["--presets", "nayer,gan"], "preset must be one of"),
        (["--presets", "nayer,nayer"], "'nayer' is given twice"),
        (["--experiment", "x"], "experiment must be one of"),
        (
            ["--presets", "nayer", "--seeds", "a"],
            "seeds must be whole numbers from 0 to 2,147,483,647, separated by commas; 'a'",
        ),
        (
            ["--presets", "nayer", "--seeds", "0,-1"],
            "seeds must be whole numbers from 0 to 2,147,483,647, separated by commas; '0,-1'",
        ),
        (["--presets", "nayer", "--seeds", "1,1"], "seeds='1,1' contains a seed twice"),
        (["--presets", "nayer", "--seed", "3"], "seed=3 is not used by compare; use --seeds 3."),
        (["--presets", "nayer", "--clock", "cpu", "--threads", "2"], "use --threads 1 with it."),
        (["--presets", "nayer", "--threads", "-1"], "threads must be a whole number from"),
        (["--experiment", "table", "--latent", "lte"], "latent='lte' cannot be shared"),
        (["--presets", "nayer", "--vary", "speed=1"], "vary must be a setting's name"),
        (
            ["--presets", "nayer", "--vary", "routing=both"],
            "routing must be one of k-to-1, 1-to-1, single; 'both' was given",
        ),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, capsys, arguments, says):
    assert main(["compare", *arguments, "--out", str(tmp_path / "x")]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_the_processors_clock_stands_still_while_nobody_works(tmp_path, capsys):
    command = ["compare", "--presets", "nayer", "--seeds", "0", "--clock", "cpu", "--out", str(tmp_path), *QUICK]
    assert main(command) == 0
    before = time.process_time()
    time.sleep(0.2)
    assert comparing.CLOCKS["cpu"]() - before < 0.1
    assert read(tmp_path / "runs" / "nayer-0.json").clock == "cpu"
    assert main([*command, "--clock", "wall"]) == 2
    assert "with a different clock" in capsys.readouterr().err
