"""Same seed, settings and threads: same events. A run, a lab, a comparison, and after pause and resume."""

from __future__ import annotations

import time

import pytest

from nayer.compare.calibration import Plan, read_plan, rounds_for, write_plan
from nayer.compare.experiments import Arm
from nayer.compare.run_jobs import run_one
from nayer.config import Config
from nayer.events import DiversityMeasured, ImagesTested, Note, RoundFinished, RunFinished, RunStarted, StudentStep
from nayer.library import named_run
from nayer.networks.cards import teacher_cards
from nayer.runs.rehearsed_round import step_work_of
from nayer.runs.session import Session
from nayer.runs.side_by_side import Lab
from tests.support.tiny import all_same

QUICK = {
    "teacher": "digits",
    "device": "cpu",
    "rounds": 100_000,
    "warmup_rounds": 1,
    "generator_width": 4,
    "noisy_width": 16,
    "generator_steps": 3,
    "synthesis_batch": 20,
    "student_steps": 4,
    "student_batch": 16,
    "test_images": 50,
}
WORK = 0.2  # 10⁹ multiply-adds: a few rounds


def config(**changes: object) -> Config:
    return Config.parse({**QUICK, "work": WORK, **changes})


def heard(config: Config) -> list:
    return list(Lab([config]).events())


def test_a_run_repeats_and_ends_in_the_step_that_reaches_its_work():
    first = heard(config())
    assert all_same(first, heard(config()))
    assert first[-1].reason == "work is done"
    spent = [event.work for event in first if isinstance(event, RoundFinished)]
    assert len(spent) >= 3
    assert spent[-2] < WORK <= spent[-1]
    rates = [event.learning_rate for event in first if isinstance(event, StudentStep)]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.2 * rates[0]  # the cosine follows the work to its end


def test_the_counted_work_is_the_sum_over_the_steps_that_were_taken():
    given = config()
    card = next(card for card in teacher_cards() if card.name == "digits")
    step = step_work_of(given, card)
    assert 0 < step.warmup < step.generator
    first, second = [event.work for event in heard(given) if isinstance(event, RoundFinished)][:2]
    assert first == pytest.approx(3 * step.warmup / 1e9)
    assert second - first == pytest.approx((3 * step.generator + 4 * step.student) / 1e9)


def test_arms_side_by_side_take_the_same_turns_again():
    arms = [config(), config(generator_steps=7, adversarial_weight=0.0)]
    first = list(Lab(arms, seeds=(0, 1)).events())
    assert all_same(first, list(Lab(arms, seeds=(0, 1)).events()))
    assert {event.reason for event in first if isinstance(event, RunFinished)} == {"work is done"}


def test_pausing_and_going_on_change_nothing():
    events: list = []
    session = Session(lambda: Lab([config()]), on_event=events.append)
    session.start(paused=True)
    session.resume()
    while session.state == "running" and len(events) < 9:
        time.sleep(0.001)
    session.pause()
    time.sleep(0.05)
    session.resume()
    assert session.join(120)
    assert all_same(events, heard(config()))


def test_a_run_that_is_resumed_from_its_checkpoint_is_the_run_without_a_break():
    whole = heard(config())
    lab, before = Lab([config()]), []
    for event in lab.events():
        before.append(event)
        if isinstance(event, RoundFinished) and event.round == 1:
            break
    after = list(Lab([config()], checkpoint=lab.checkpoint()).events())
    # RunStarted, ImagesTested and the notes are told again, and the window of the diversity over rounds begins anew.
    told = [event for event in after if not isinstance(event, RunStarted | ImagesTested | Note | DiversityMeasured)]
    assert all_same(told, [event for event in whole[len(before) :] if not isinstance(event, DiversityMeasured)])


def test_the_learning_rate_does_not_follow_a_limit_in_seconds_and_a_run_that_it_cuts_says_so():
    free, limited = (
        [e.learning_rate for e in heard(config(work=0.0, rounds=3, seconds=s)) if isinstance(e, StudentStep)]
        for s in (0.0, 1e5)
    )
    assert free == limited
    cut = heard(config(work=0.0, seconds=1e-6))
    assert cut[-1].reason == "time is up"
    assert isinstance(cut[-2], Note)
    assert "cannot be repeated" in cut[-2].message


def test_a_comparison_at_equal_work_repeats():
    first, second = (run_one(Arm("one", config()), 0)[0] for _ in range(2))
    assert [accuracy for _, accuracy in first.curve] == [accuracy for _, accuracy in second.curve]
    assert first.rounds == second.rounds


@pytest.mark.parametrize(("seconds", "rounds"), [(1.0, 2), (2.0, 4), (12.0, 9), (0.1, 1)])
def test_rounds_are_planned_from_the_pace(seconds, rounds):
    four = config(warmup_rounds=4)  # 4 × 0.5 s, then 2 s a round
    assert rounds_for(four, seconds, 0.5, 2.0) == rounds


def test_a_plan_is_kept_for_whoever_resumes(tmp_path):
    plan = Plan(seconds=2.0, clock="wall", threads=1, rounds={"one": 7})
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan


def test_a_larger_student_takes_more_work_in_its_own_steps_only():
    small, large = (named_run(**QUICK, work=WORK, student=name) for name in ("lenet-2", "lenet-6"))
    assert small.task.step_work.student < large.task.step_work.student
    assert small.task.step_work.warmup == large.task.step_work.warmup
