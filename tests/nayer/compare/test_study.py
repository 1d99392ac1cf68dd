"""A study: its file, its runs, and what its tables say."""

from __future__ import annotations

import csv
import dataclasses
import math

import pytest

from nayer.cli.main import main
from nayer.cluster.jobs import JobDone, JobRestarted, JobStarted, LocalExecutor, PartMade
from nayer.compare import run_jobs
from nayer.compare.experiments import Arm
from nayer.compare.outcome import Outcome
from nayer.compare.result_table import ResultTable, escaped
from nayer.compare.run_jobs import Finished, FreshStudents, RunOptions, run_all
from nayer.compare.study import read_study, study_in
from nayer.compare.study_results import Bounds, reach, steps_to
from nayer.compare.study_tables import result_tables, runs_csv
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.exports.metrics_table import DIVERSITY
from nayer.runs.fresh_students import fresh_students
from nayer.runs.run import open_run
from tests.support.repository import ROOT
from tests.support.tiny import QUICK

SMALL = {
    "methods": {"NAYER": {"preset": "nayer"}, "Fast": {"preset": "fast", "generator_steps": 3}},
    "teachers": ["digits"],
    "budgets": {"work": [20, 10]},
    "seeds": [0, 1],
}


def made(**changes: object):
    return study_in({**SMALL, **changes}, "study='s.yaml'")


def outcome(arm: str, seed: int, accuracy: float, seconds: float, synthesis: float = 1.0) -> Outcome:
    config = Config(teacher="digits").model_dump()
    return Outcome(
        arm,
        seed,
        config,
        70.0,
        curve=[(0.0, 0.1), (seconds, accuracy)],
        teacher_accuracy=1.0,
        seconds=seconds,
        spent={"synthesis": synthesis},
        measured_on="test images",
    )


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_study_has_every_method_with_every_teacher_and_budget():
    study = made(teachers=["digits", "fashion"], vary={"student_lr": [0.1, 0.2]}, shared={"evaluate_every": 7})
    assert study.methods == [f"{name} student_lr={lr}" for name in ("NAYER", "Fast") for lr in (0.1, 0.2)]
    assert (study.teachers, study.budgets, study.seeds) == (["digits", "fashion"], [10.0, 20.0], (0, 1))
    assert len(study.cells) == 4 * 2 * 2
    assert study.reference == study.methods[0]
    for cell in study.cells:
        config = cell.arm.config
        assert (config.teacher, config.work, config.evaluate_every) == (cell.teacher, cell.budget, 7)
        assert (config.generator_steps == 3) == cell.method.startswith("Fast")
        assert config.rounds == 100_000  # the work ends the run, not the rounds


@pytest.mark.parametrize("path", sorted((ROOT / "studies").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_studies_of_the_repository_can_run(path):
    study = read_study(path)
    assert study.question.endswith("?")
    assert len(study.seeds) >= 2
    assert study.reference in study.methods


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"method": {}}, "'method' is not a key of a study; the nearest is methods."),
        ({"methods": {}}, "methods is missing"),
        ({"methods": {"NAYER": {"preset": "gan"}}}, "preset must be one of"),
        ({"methods": {"NAYER": {"laten": "lte"}}}, "'laten' is not a setting; the nearest is latent."),
        ({"methods": {"A": {"latent": "words"}}}, "A: latent must be one of lte"),
        ({"methods": {"A b": {}, "a-B": {}}}, "is given twice; name each method, teacher and budget once."),
        ({"methods": {"∗": {}}}, "a name must have letters from a to z or digits"),
        ({"teachers": []}, "teachers must be a list"),
        ({"teachers": [3]}, "teacher must be a text"),
        ({"budgets": {}}, "budgets must have one of seconds, work, rounds; nothing was given."),
        ({"budgets": {"work": [1], "rounds": [1]}}, "budgets must have one of seconds, work, rounds"),
        ({"budgets": {"seconds": [0]}}, "seconds must be a list of different numbers above 0"),
        ({"budgets": {"rounds": [1.5]}}, "rounds must be whole numbers"),
        ({"budgets": {"work": [1, 1]}}, "work must be a list of different numbers"),
        ({"shared": {"teacher": "digits"}}, "teacher='digits' cannot be shared; use teachers."),
        ({"shared": {"work": 1}}, "work=1 cannot be shared; use budgets."),
        ({"shared": {"generator_steps": 4}}, "generator_steps=4 cannot be shared, because arms set it themselves"),
        ({"seeds": [0, 0]}, "contains a seed twice"),
        ({"clock": "sun"}, "clock must be one of wall, cpu"),
        ({"clock": "cpu", "threads": 2}, "use threads: 1 with it."),
        ({"threads": 0}, "threads must be a whole number from 1 to"),
        ({"reference": "GAN"}, "reference must be one of NAYER, Fast"),
        ({"levels": [2]}, "levels must be a list of different numbers above 0 and up to 1"),
        ({"steps_to": {"bn": 1}}, "'bn' is not a measure of a generator step"),
        ({"steps_to": {"ce": "low"}}, "ce must be a list of different numbers above 0"),
        ({"fresh_students": {"seeds": [0]}}, "phases must be a whole number from 1 to"),
        ({"vary": {"speed": [1]}}, "'speed' is not a setting"),
        ({"title": 3}, "title must be a text on one line"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_one_sentence(changes, says):
    with pytest.raises(ConfigError, match=r"^study='s\.yaml'") as error:
        made(**changes)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "study needs a file with --out, or --resume"),
        (["s.yaml"], "study needs --out"),
        (["s.yaml", "--resume", "x"], "study needs a file with --out, or --resume"),
        (["--resume", "x"], "contains no study.yaml"),
        (["missing.yaml", "--out", "x"], "study='missing.yaml' cannot be read"),
    ],
)
def test_a_command_that_is_wrong_is_refused_in_one_sentence(tmp_path, monkeypatch, capsys, words, says):
    monkeypatch.chdir(tmp_path)
    assert main(["study", *words]) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# --- the results -----------------------------------------------------------------------------------------------------


def test_the_smallest_budget_counts_whose_final_mean_reaches_the_level():
    study = made(budgets={"work": [10, 20, 40]})
    cells = [cell for cell in study.cells if cell.method == "NAYER"]
    finals = [(0.7, 0.85), (0.78, 0.84), (0.95, 0.95)]  # means 0.775, 0.81, 0.95
    outcomes = [
        (cell, [outcome("A", seed, value, cell.budget, cell.budget / 4) for seed, value in enumerate(values)])
        for cell, values in zip(cells, finals, strict=True)
    ]
    one = reach(outcomes, 0.8)
    assert (one.budget, one.total, one.synthesis) == (20.0, Bounds(10.0, 20.0), Bounds(2.5, 5.0))
    assert reach(outcomes, 0.5).total == Bounds(0.0, 10.0)
    never = reach(outcomes, 0.98)
    assert (never.budget, never.total) == (None, Bounds(40.0, math.inf))
    outcomes[2][1][0].config["overlap"] = True
    assert reach(outcomes, 0.8).synthesis == Bounds(2.5, 5.0)  # what larger budgets do does not matter
    assert reach(outcomes, 0.98).synthesis is None  # no clock separates what happens at once
    outcomes[1][1][0].failure = "it diverged"
    assert reach(outcomes, 0.8).budget == 40.0  # a budget with a failed run reaches nothing


def test_a_factor_has_the_bounds_of_its_two_times():
    assert Bounds(40.0, 80.0).over(Bounds(10.0, 20.0)) == Bounds(2.0, 8.0)
    assert Bounds(320.0, math.inf).over(Bounds(10.0, 20.0)) == Bounds(16.0, math.inf)
    assert Bounds(10.0, 20.0).over(Bounds(320.0, math.inf)) == Bounds(0.0, 20.0 / 320.0)
    assert Bounds(0.0, 10.0).over(Bounds(0.0, 10.0)) == Bounds(0.0, math.inf)


def test_a_loss_falls_to_its_target_and_a_share_rises_to_it():
    one = outcome("A", 0, 0.5, 1.0)
    one.by_step = {"step": [1.0, 2.0, 3.0], "ce": [2.0, 1.0, 0.5], "label_accuracy": [0.1, 0.5, 0.9]}
    assert steps_to(one, "ce", 1.0) == 2.0
    assert steps_to(one, "label_accuracy", 0.9) == 3.0
    assert steps_to(one, "ce", 0.1) is None
    one.by_step = {}
    assert steps_to(one, "ce", 1.0) is None


def test_the_tables_hold_the_means_the_budgets_and_the_factors():
    study = made()
    found = {
        cell.arm.title: [
            outcome(cell.arm.title, seed, {("NAYER", 10.0): 0.7}.get((cell.method, cell.budget), 0.9), cell.budget)
            for seed in study.seeds
        ]
        for cell in study.cells
    }
    by_name = {table.name: table for table in result_tables(study, found)}
    assert by_name["accuracy"].rows == [["NAYER", "70.0 ± 0.0", "90.0 ± 0.0"], ["Fast", "90.0 ± 0.0", "90.0 ± 0.0"]]
    assert [row[:3] for row in by_name["budgets"].rows] == [["NAYER", "20 G", "20.0"], ["Fast", "10 G", "10.0"]]
    assert by_name["factors"].rows[0][:2] == ["Fast", "≤ 1.00"]
    rows = list(csv.DictReader(runs_csv(study, found).splitlines()))
    assert len(rows) == len(study.cells) * len(study.seeds)
    assert {(row["method"], row["budget"], row["accuracy"]) for row in rows} == {
        ("NAYER", "10 G", "0.7"),
        ("NAYER", "20 G", "0.9"),
        ("Fast", "10 G", "0.9"),
        ("Fast", "20 G", "0.9"),
    }


def test_a_sheet_is_the_same_table_three_times():
    table = ResultTable("of_a", "A & B", ("method", "x_1"), [["K|1", "50 %"]], "A note.")
    assert "| K\\|1 | 50 % |" in table.markdown()
    assert table.csv() == "method,x_1\nK|1,50 %\n"
    assert "method & x\\_1 \\\\\n\\midrule\nK|1 & 50 \\% \\\\" in table.latex()
    assert escaped("a\\b_{c} ± 1 %") == r"a\textbackslash{}b\_\{c\} $\pm$ 1 \%"


# --- the runs --------------------------------------------------------------------------------------------------------

SHORT_RUN = Config.parse({"rounds": 5, "report_every": 100}, QUICK)


class Losing(LocalExecutor):
    """Loses the machine of a job once it has made `parts`, two of them after the latest saved state."""

    def __init__(self, parts: int) -> None:
        self._parts = parts

    def run(self, jobs):
        for number, job in enumerate(jobs):
            yield JobStarted(number, "first")
            state = None
            for place, part in enumerate(job.work(None)):
                if place == self._parts - 2:
                    state = part.state
                lost = place > self._parts - 2
                yield PartMade(number, dataclasses.replace(part, state=None if lost else part.state))
                if place == self._parts:
                    break
            yield JobRestarted(number, "The machine is lost.")
            yield JobStarted(number, "second")
            yield from (PartMade(number, part) for part in job.work(state))
            yield JobDone(number)


def test_a_run_that_loses_its_machine_continues_from_its_checkpoint_and_nothing_counts_twice():
    def ended(executor: LocalExecutor) -> Finished:
        options = RunOptions("wall", 1, keep_every=0.0)
        return next(
            told for told in run_all([(Arm("A", SHORT_RUN), 3)], options, executor) if isinstance(told, Finished)
        )

    whole = ended(LocalExecutor())
    for parts in (1, 3, 5):  # before the first checkpoint, in the middle, at the end
        lost = ended(Losing(parts))
        assert [accuracy for _, accuracy in lost.outcome.curve] == [accuracy for _, accuracy in whole.outcome.curve]
        for name in ("rounds", "generator_steps", "by_step", "agreement", "second_opinion", "failure"):
            assert getattr(lost.outcome, name) == getattr(whole.outcome, name), name
        left_out = ("seconds", *DIVERSITY)  # across rounds, it starts empty after a checkpoint
        rows = [
            [{name: value for name, value in row.items() if name not in left_out} for row in one.record.rows]
            for one in (whole, lost)
        ]
        assert rows[0] == rows[1]


def test_a_study_continues_where_it_was_interrupted(tmp_path, capsys, monkeypatch):
    settings = {
        name: getattr(QUICK, name) for name in ("warmup_rounds", "student_steps", "synthesis_batch", "noisy_width")
    }
    shared = "".join(f"  {name}: {value}\n" for name, value in {**settings, "test_images": 50}.items())
    (tmp_path / "s.yaml").write_text(
        "title: Small\nmethods: {NAYER: {generator_steps: 2}, DFQ: {preset: dfq}}\nteachers: [digits]\n"
        "budgets: {rounds: [2, 3]}\nseeds: [0]\nsteps_to: {ce: 9}\nfresh_students: {seeds: [0], phases: 1}\n"
        f"shared:\n{shared}"
    )
    real, ran = run_jobs.job_of, []

    def counted(arm, seed, *rest):
        job = real(arm, seed, *rest)

        def work(state):
            ran.append(arm.title)
            if len(ran) == 2:
                raise KeyboardInterrupt
            yield from job.work(state)

        return dataclasses.replace(job, work=work)

    monkeypatch.setattr(run_jobs, "job_of", counted)
    out = tmp_path / "out"
    assert main(["study", str(tmp_path / "s.yaml"), "--out", str(out)]) == 130
    assert len((out / "tables" / "runs.csv").read_text().splitlines()) == 2  # of what was done by then
    capsys.readouterr()
    assert main(["study", "--resume", str(out)]) == 1  # DFQ keeps no pool, so it has none for fresh students
    said = capsys.readouterr().out
    assert len(ran) == 2 + 3
    assert ran[1] == ran[2]  # the interrupted one ran again, the finished one did not
    assert said == (out / "report.md").read_text()
    assert "memory=online keeps no images for fresh students" in said
    assert "digits: accuracy in percent of new students on the final pools" in said
    for name in ("accuracy.md", "accuracy.csv", "accuracy.tex", "steps.tex", "fresh-students.csv"):
        assert (out / "tables" / name).read_text()
    assert (out / "figures" / "accuracy-digits.pdf").read_bytes().startswith(b"%PDF")
    assert (out / "figures" / "accuracy-digits.png").read_bytes().startswith(b"\x89PNG")


def test_fresh_students_leave_the_pool_as_it_is_and_repeat():
    run = open_run(QUICK)
    for _ in run.events():
        pass
    before = run.state.pool.images.clone()
    first, second, other = (list(fresh_students(run, seeds, 2)) for seeds in ((0,), (0,), (1,)))
    assert first[0].accuracy == second[0].accuracy
    assert (first[0].accuracy, first[0].agreement) != (other[0].accuracy, other[0].agreement)
    assert (run.state.pool.images == before).all()
    assert FreshStudents((0,), 2).phases == 2
