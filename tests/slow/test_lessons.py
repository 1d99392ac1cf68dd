"""What each lesson says, run again with three seeds: about five minutes on two quiet cores."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.content.lessons import LESSONS, outcome
from app.examples import SEEDS, finished, lesson_plan
from nayer.runs.session import ENDED

CHECKED = [
    (number, option)
    for number, lesson in enumerate(LESSONS, 1)
    for option, one in enumerate(lesson.choice.options)
    if one.outcome is not None and not lesson.names
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")  # lessons share their first arm


@pytest.mark.slow
@pytest.mark.parametrize(("number", "option"), CHECKED)
def test_a_lesson_shows_what_it_says_with_every_seed(number: int, option: int, cache: Path) -> None:
    lesson = LESSONS[number - 1]
    run = finished(lesson_plan(number, option), cache)
    assert run.state in ENDED
    _, results = run.refreshed()
    last = len(run.plan.arms) - 1
    values = [[getattr(results[arm, seed], lesson.predict.measure) for arm in (0, last)] for seed in range(SEEDS)]
    found = [outcome(lesson.predict, *both) for both in values]
    assert found == [lesson.choice.options[option].outcome] * SEEDS, values
