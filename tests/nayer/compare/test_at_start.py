"""What a student knows before its first step: measured, and never told as something that took time."""

from __future__ import annotations

from nayer.compare.benchmark import levels
from nayer.compare.experiments import Arm
from nayer.compare.run_jobs import run_one
from nayer.compare.tables import markdown
from nayer.config import Config
from nayer.events import EvaluatedAtStart
from nayer.runs.run import open_run

QUICK = {
    "teacher": "digits",
    "device": "cpu",
    "rounds": 2,
    "warmup_rounds": 1,
    "generator_width": 4,
    "noisy_width": 16,
    "generator_steps": 2,
    "synthesis_batch": 20,
    "student_steps": 2,
    "student_batch": 16,
    "test_images": 100,
}


def test_the_first_point_of_the_curve_is_the_student_before_its_first_step():
    run = open_run(Config.parse(QUICK))
    before = run.task.evaluator(run.student)
    [first] = [event for event in run.events() if isinstance(event, EvaluatedAtStart)]
    assert (first.round, first.seconds, first.thinned) == (0, 0.0, False)
    assert (first.accuracy, first.agreement) == (before.accuracy, before.agreement)


def test_a_target_that_is_met_before_the_first_step_is_no_time():
    outcome, _ = run_one(Arm("cut", Config.parse({**QUICK, "student_start": "thinned"})), 0)
    assert outcome.thinned
    assert outcome.curve[0] == (0.0, outcome.at_start)
    outcome.teacher_accuracy = outcome.at_start  # so that each share of it is met
    assert outcome.seconds_to(0.9) == 0.0
    said = markdown([outcome])
    assert "cut (starts with the teacher's weights)" in said
    assert "met at the start" in said
    found = levels([outcome])
    assert found["to_90_seconds"] is None
    assert found["to_90_met_at_start"] == 1.0
