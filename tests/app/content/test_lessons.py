"""The lessons' data: each is whole, each choice starts what it says, and the script's keys are the charts' own."""

from __future__ import annotations

import re

import pytest

from app.api.static_files import STATIC
from app.content.lessons import LESSONS, SMALL, Lesson, lessons_json
from app.runs.plan import ARMS, LONGEST_TITLE, Plan, lab_plan
from nayer.embeddings.label_table import LATENTS
from nayer.networks.cards import teacher_cards
from nayer.text_rules import check_names

RUNS = [lesson for lesson in LESSONS if not lesson.names]
NAMED = [lesson for lesson in LESSONS if lesson.names]


def plans(lesson: Lesson) -> list[Plan]:
    """What the page starts for each option, made as `lessons/run_lesson.js` makes it."""
    made = []
    for title, changes in lesson.choice.options:
        teacher = changes.get("teacher", lesson.teacher)
        chosen = {name: value for name, value in changes.items() if name != "teacher"}
        everywhere = SMALL if lesson.choice.arm else {**SMALL, **chosen}
        arms = [{"title": name, "settings": {**everywhere, **own}} for name, own in lesson.arms]
        if lesson.choice.arm:
            arms.append({"title": title, "settings": {**SMALL, **chosen}})
        shared = {"teacher": teacher, "seed": 0, "work": lesson.work}
        made.append(lab_plan("", arms, shared, 1, teacher_cards(), local=False))
    return made


def test_there_are_six_to_eight_steps_and_each_has_its_paragraph_and_what_to_notice() -> None:
    assert 6 <= len(LESSONS) <= 8
    assert len({lesson.title for lesson in LESSONS}) == len(LESSONS)
    for lesson in LESSONS:
        assert 150 <= len(lesson.text) <= 520, lesson.title
        assert 100 <= len(lesson.notice) <= 420, lesson.title
        assert len(lesson.choice.options) >= 2, "a live control offers a choice"
        assert 0 <= lesson.choice.chosen < len(lesson.choice.options)
    assert len(lessons_json()) == len(LESSONS)


@pytest.mark.parametrize("lesson", RUNS, ids=lambda lesson: lesson.title)
def test_every_choice_is_a_plan_that_a_shared_page_takes(lesson: Lesson) -> None:
    for plan, (title, _) in zip(plans(lesson), lesson.choice.options, strict=True):
        assert ARMS[0] <= len(plan.arms) <= 3, "more would be too small beside the text"
        assert len({arm.title for arm in plan.arms}) == len(plan.arms)
        assert all(len(arm.title) <= LONGEST_TITLE for arm in plan.arms)
        assert not lesson.choice.arm or plan.arms[-1].title == title
        assert len(set(plan.configs)) == len(plan.arms)


@pytest.mark.parametrize("lesson", RUNS, ids=lambda lesson: lesson.title)
def test_an_option_changes_what_is_run(lesson: Lesson) -> None:
    configs = [plan.configs for plan in plans(lesson)]
    assert len(set(configs)) == len(configs)


@pytest.mark.parametrize("lesson", NAMED, ids=lambda lesson: lesson.title)
def test_a_lesson_on_names_offers_tables_that_exist_for_names_that_do(lesson: Lesson) -> None:
    check_names(lesson.names)
    assert {changes["latent"] for _, changes in lesson.choice.options} == set(LATENTS)


def test_the_charts_a_lesson_shows_are_those_the_script_knows() -> None:
    script = (STATIC / "panels" / "measures.js").read_text("utf-8")
    known = {"accuracy", "hit", *re.findall(r'\{ name: "(\w+)", title:', script)}
    for lesson in LESSONS:
        assert set(lesson.shows) <= known


def test_the_tab_that_the_address_opens_is_called_as_the_script_thinks() -> None:
    build = (STATIC.parent / "gradio_ui" / "page.py").read_text("utf-8")
    (tab,) = re.findall(r'learn: "(\w+)"', (STATIC / "core" / "router.js").read_text("utf-8"))
    assert f'gr.Tab("{tab}"' in build


def test_a_number_in_a_title_is_the_settings_own() -> None:
    named = [one for lesson in LESSONS for one in (*lesson.choice.options, *lesson.arms)]
    for title, changes in named:
        told = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", title)}
        held = {float(value) for value in changes.values() if isinstance(value, (int, float))}
        assert told <= held, title
