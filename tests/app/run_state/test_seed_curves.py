"""The curves of a lab: mean and range over seeds against numpy, and folds that a repetition does not change."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from app.run_state.lab_figure import lab_sheet
from app.run_state.seed_curves import LONGEST, MEASURES, SeedCurves, complete, ranges, thinned
from app.runs.lab_export import DOCUMENT, PICTURE, TABLE, lab_files, whole_lab
from app.runs.live_run import LiveRun
from app.runs.past_run import past_run
from app.runs.plan import Plan, lab_plan
from nayer.common.spreadsheets import as_cell
from nayer.config import Config
from nayer.events import Event, RoundFinished
from nayer.networks.cards import teacher_cards
from tests.support.scripted import SHORT, script


def test_a_long_curve_keeps_its_ends() -> None:
    points = [[float(i), 0.0] for i in range(1000)]
    short = thinned(points)
    assert len(short) == LONGEST
    assert (short[0], short[-1]) == (points[0], points[-1])
    assert thinned(points[:5]) == points[:5]


def test_a_seed_counts_when_every_arm_has_done_it() -> None:
    done = [(0, 0, True), (1, 0, True), (0, 1, True), (1, 1, False), (2, 0, False)]
    assert complete(done, [0, 1]) == [0]
    assert complete(done, [0]) == [0, 1]
    assert complete(done, [0, 1, 2]) == []
    assert complete(done, []) == []


# --- a lab of made-up events, by arm and seed


SEEDS = (0, 1, 2)


def worked(config: Config, arm: int) -> list[Event]:
    """The events of an arm; a round is 2·10⁹ multiply-adds."""
    from dataclasses import replace

    return [
        replace(event, arm=arm, **({"work": 2.0 * (event.round + 1)} if isinstance(event, RoundFinished) else {}))
        for event in script(config)
    ]


def lab(seeds: tuple[int, ...] = SEEDS) -> tuple[LiveRun, list[Event]]:
    """A finished lab of two arms, and its events."""
    own = [{"title": '=A, "1"'}, {"title": "B", "settings": {"student_start": "thinned"}}]
    shared = {"teacher": "digits", "seed": 0, "work": 6.0}
    plan: Plan = lab_plan("", own, shared, len(seeds), teacher_cards(), local=True)
    events: list[Event] = []
    for seed in seeds:
        for arm, other in enumerate((seed, seed + 50)):  # the draws of an arm are its own
            told = worked(SHORT.model_copy(update={"seed": other}), arm)
            events += [one if not hasattr(one, "config") else _with_seed(one, seed) for one in told]

    return past_run(plan, events, "x"), events


def _with_seed(event: Event, seed: int) -> Event:
    from dataclasses import replace

    return replace(event, config={**event.config, "seed": seed})


def test_ranges_are_those_of_the_seeds_and_name_a_round_of_the_last() -> None:
    run, events = lab()
    curves = SeedCurves()
    for number, event in enumerate([*events, *events], 1):  # told again: only the numbers of the looks change
        curves.add(event, number)
    found = ranges(curves, 2, SEEDS, "work")
    for arm in range(2):
        lines = [[one.values["accuracy"] for one in curves.of(arm, seed)] for seed in SEEDS]
        assert [point[0] for point in found[arm]["accuracy"]] == [2.0, 4.0, 6.0]
        assert np.allclose([point[1] for point in found[arm]["accuracy"]], np.mean(lines, axis=0), atol=1e-3)
        assert np.allclose([point[2] for point in found[arm]["accuracy"]], np.min(lines, axis=0), atol=1e-3)
        assert np.allclose([point[3] for point in found[arm]["accuracy"]], np.max(lines, axis=0), atol=1e-3)
        assert [point[4] for point in found[arm]["accuracy"]] == [0, 1, 2]
    assert run.ranges() == found


def test_a_reader_gets_ranges_once_and_each_round_once() -> None:
    run, _ = lab()
    views, _ = run.refreshed()
    since = [view.seq for view in views]
    assert run.ranges([0, 0]) is not None
    assert run.ranges(since) is None
    rows = run.curve(0, 0, since[0])
    assert [row[:2] for row in rows] == [[0, 2.0], [1, 4.0], [2, 6.0]]
    middle = next(n for n in range(since[0]) if len(run.curve(0, 0, n)) == 2)
    assert run.curve(0, 0, middle) + run.curve(0, middle, since[0]) == rows


def test_with_one_seed_there_is_no_range() -> None:
    run, _ = lab((0,))
    assert run.ranges() is None


def test_the_table_and_the_document_hold_the_same_numbers_and_every_seed() -> None:
    run, _ = lab()
    files = lab_files(run, lambda told: b"")
    document = json.loads(files[DOCUMENT])
    rows = list(csv.DictReader(io.StringIO(files[TABLE].decode())))
    assert len(rows) == 2 * len(SEEDS) * 3
    expected = [
        {"arm": one["arm"] + 1, "seed": one["seed"], **dict(zip(document["columns"], row, strict=True))}
        for one in document["curves"]
        for row in one["rounds"]
    ]
    for row, wanted in zip(rows, expected, strict=True):
        assert {name: row[name] for name in wanted} == {
            name: "" if value is None else str(value) for name, value in wanted.items()
        }
    assert [row["round"] for row in rows[:3]] == ["1", "2", "3"]  # counted as the page counts
    assert rows[0]["title"] == '\'=A, "1"', "a spreadsheet takes no title for a formula"
    assert document["counted"] == list(SEEDS)
    assert set(document["columns"]) == {"round", "work", "seconds", *MEASURES}
    accuracy = [r["accuracy"] for r in document["results"] if r["arm"] == 0]
    assert document["means"][0]["accuracy"] == pytest.approx(
        [np.mean(accuracy), min(accuracy), max(accuracy)], abs=1e-4
    )
    assert "The student of “B” starts with weights of its teacher." in document["conclusion"]
    again = Config.parse(document["arms"][1]["config"])
    assert again == run.plan.configs[1]


def test_the_form_of_a_plan_makes_the_plan_again() -> None:
    cards = teacher_cards()
    run, _ = lab()
    ready = lab_plan("routing", [], {"teacher": "digits", "seed": 4, "work": 9.0}, 3, cards, local=True)
    for plan in (run.plan, ready):
        form = plan.form()
        shared = {name: form[name] for name in ("teacher", "seed", "work")}
        again = lab_plan(form["experiment"], form["arms"], shared, form["repeats"], cards, local=True)
        assert again.configs == plan.configs
        assert [arm.title for arm in again.arms] == [arm.title for arm in plan.arms]
        assert again.seeds == plan.seeds


@pytest.mark.slow
def test_the_picture_is_a_png_of_every_measure() -> None:
    run, _ = lab()
    picture = lab_files(run, lab_sheet)[PICTURE]
    assert picture.startswith(b"\x89PNG")
    assert whole_lab(run)["by"] == "work"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("＝1+1", "'＝1+1"),
        ("a;=HYPERLINK(A1)", "a;'=HYPERLINK(A1)"),
        ('x,"@sum', "x,\"'@sum"),
        ("a | -1", "a | '-1"),
        ("lr=0.1, wd - 1", "lr=0.1, wd - 1"),
    ],
)
def test_a_title_begins_no_formula_whatever_separates_the_cells(title: str, shown: str) -> None:
    assert as_cell(title) == shown
