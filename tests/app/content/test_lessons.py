"""The lessons' data: each is whole, each choice starts what it says, and the script's keys are the charts' own."""

from __future__ import annotations

import json
import re

import pytest

from app.api.example_routes import EXAMPLES
from app.content.lessons import LESSONS, Lesson, lessons_json, outcome, plan_of
from app.examples import SEEDS, lesson_plan
from app.run_state.seed_curves import MEASURES
from app.runs.plan import ARMS, LONGEST_TITLE, Plan, lab_plan
from app.web_page.one_script import STATIC
from nayer.embeddings.label_table import LATENTS
from nayer.networks.cards import teacher_cards
from nayer.text_rules import check_names

RUNS = [lesson for lesson in LESSONS if not lesson.names]
RECORDED = [n for n, one in enumerate(LESSONS, 1) if not one.names and one.choice.options[one.choice.chosen].outcome]
NAMED = [lesson for lesson in LESSONS if lesson.names]


def plans(lesson: Lesson) -> list[Plan]:
    """What the page starts for each option."""
    made = [plan_of(lesson, option) for option in range(len(lesson.choice.options))]
    return [
        lab_plan(
            "",
            one["arms"],
            {"teacher": one["teacher"], "seed": 0, "work": one["work"]},
            1,
            teacher_cards(),
            local=False,
        )
        for one in made
    ]


def test_there_are_six_to_eight_steps_and_each_has_its_paragraph_and_what_to_notice() -> None:
    assert 6 <= len(LESSONS) <= 8
    assert len({lesson.title for lesson in LESSONS}) == len(LESSONS)
    for lesson in LESSONS:
        assert 150 <= len(lesson.text) <= 520, lesson.title
        assert 60 <= len(lesson.notice) <= 420, lesson.title
        assert lesson.predict.question.endswith("?")
        assert set(lesson.predict.answers) == {"more", "less", "same"}
        assert len(lesson.choice.options) >= 2, "a live control offers a choice"
        assert 0 <= lesson.choice.chosen < len(lesson.choice.options)
    assert len(lessons_json()) == len(LESSONS)


@pytest.mark.parametrize("lesson", RUNS, ids=lambda lesson: lesson.title)
def test_every_choice_is_a_plan_that_a_shared_page_takes(lesson: Lesson) -> None:
    for plan, option in zip(plans(lesson), lesson.choice.options, strict=True):
        assert ARMS[0] <= len(plan.arms) <= 3, "more would be too small beside the text"
        assert len({arm.title for arm in plan.arms}) == len(plan.arms)
        assert all(len(arm.title) <= LONGEST_TITLE for arm in plan.arms)
        assert not lesson.choice.arm or plan.arms[-1].title == option.label
        assert len(set(plan.configs)) == len(plan.arms)


@pytest.mark.parametrize("lesson", RUNS, ids=lambda lesson: lesson.title)
def test_an_option_changes_what_is_run(lesson: Lesson) -> None:
    configs = [plan.configs for plan in plans(lesson)]
    assert len(set(configs)) == len(configs)


@pytest.mark.parametrize("lesson", NAMED, ids=lambda lesson: lesson.title)
def test_a_lesson_on_names_offers_tables_that_exist_for_names_that_do(lesson: Lesson) -> None:
    check_names(lesson.names)
    assert {option.changes["latent"] for option in lesson.choice.options} == set(LATENTS)


def test_the_charts_and_the_question_of_a_lesson_are_about_what_is_measured() -> None:
    for lesson in RUNS:
        assert set(lesson.charts) <= set(MEASURES)
        assert lesson.predict.measure in lesson.charts, "the answer can be seen"


@pytest.mark.parametrize("number", RECORDED)
def test_the_finished_example_is_of_this_lesson_and_shows_what_the_lesson_says_with_every_seed(number: int) -> None:
    lesson = LESSONS[number - 1]
    path = EXAMPLES / f"lesson-{number}.json"
    assert path.stat().st_size <= 150_000
    lab = json.loads(path.read_text("utf-8"))
    plan = lesson_plan(number, lesson.choice.chosen)
    assert lab["arms"] == [arm.title for arm in plan.arms]
    assert lab["plan"] == plan.form(), "recorded with other settings: make it again with python -m app.examples"
    wanted = lesson.choice.options[lesson.choice.chosen].outcome
    values = {(one["arm"], one["seed"]): one[lesson.predict.measure] for one in lab["results"]}
    found = [outcome(lesson.predict, values[0, seed], values[len(plan.arms) - 1, seed]) for seed in range(SEEDS)]
    assert found == [wanted] * SEEDS


def test_an_answer_is_right_by_its_margin() -> None:
    predict = LESSONS[0].predict
    assert outcome(predict, 0.1, 0.1 + predict.margin * 0.99) == "same"
    assert outcome(predict, 0.1, 0.1 + predict.margin * 1.01) == "more"
    assert outcome(predict, 0.9, 0.9 - predict.margin * 1.01) == "less"


def test_the_tab_that_the_address_opens_is_called_as_the_script_thinks() -> None:
    build = (STATIC.parent / "gradio_ui" / "page.py").read_text("utf-8")
    (tab,) = re.findall(r'learn: "(\w+)"', (STATIC / "core" / "router.js").read_text("utf-8"))
    assert f'gr.Tab("{tab}"' in build


def test_a_number_in_a_title_is_the_settings_own() -> None:
    options = [(one.label, one.changes) for lesson in LESSONS for one in lesson.choice.options]
    named = [*options, *(one for lesson in LESSONS for one in lesson.arms)]
    for title, changes in named:
        told = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", title)}
        held = {float(value) for value in changes.values() if isinstance(value, (int, float))}
        assert told <= held, title
