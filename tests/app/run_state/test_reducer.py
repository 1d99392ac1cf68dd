"""Laws of the fold from events to what is shown."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from app.api.lab_serializer import PARTS as LAB_PARTS
from app.run_state.batches import Batches
from app.run_state.embedding_map import Atlas, Dots
from app.run_state.lab_results import fold_results
from app.run_state.model import LONGEST, Condition, Point, Series, View, reset_view
from app.run_state.reducer import ROWS, fold, last_on_map
from app.run_state.serializer import payload, rounds, seconds_left
from nayer.config import Config
from nayer.events import (
    Evaluated,
    EvaluatedAtStart,
    Event,
    GeneratorStep,
    Note,
    RoundFinished,
    RoundSynthesized,
    RunFailed,
    SecondOpinion,
)
from nayer.runs.slow_motion import waits_in_round
from tests.support.repository import ROOT
from tests.support.scripted import CLASSES, SHORT, script

EVENTS = list(script(SHORT))
TWO_SEEDS = [*EVENTS, *script(SHORT.model_copy(update={"seed": 1, "rounds": 2}))]


class PageModel:
    """What a page makes of updates: the page's own `core/model.js`, run by node."""

    def __init__(self, node: subprocess.Popen[str]) -> None:
        self._node = node

    def after(self, *updates: dict[str, Any] | None) -> dict[str, Any]:
        """The model after these updates; None is no update."""
        told = [update for update in updates if update is not None]
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.write(json.dumps(told, allow_nan=False) + "\n")
        self._node.stdin.flush()
        model: dict[str, Any] = json.loads(self._node.stdout.readline())
        return model


@pytest.fixture(scope="module")
def page() -> Iterator[PageModel]:
    node = shutil.which("node")
    assert node, "node is not installed; apt-get install nodejs"
    script_ = ROOT / "tests" / "js" / "models_of_updates.js"
    with subprocess.Popen([node, script_], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield PageModel(process)


@given(st.lists(st.integers(0, len(EVENTS)), max_size=6))
def test_folding_in_pieces_is_folding_at_once(cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(EVENTS)]
    view = View()
    for start, stop in pairwise(bounds):
        view = fold(view, EVENTS[start:stop])
    assert payload(view, 0) == payload(fold(View(), EVENTS), 0)


def opinion(round_: int, named: float) -> SecondOpinion:
    shares = np.linspace(0.0, 2 * named, len(CLASSES))
    return SecondOpinion(
        round=round_,
        seconds=round_ + 0.5,
        named=shares,
        confidence=shares,
        counts=np.full(len(CLASSES), 2),
        named_share=named,
        confidence_mean=0.8,
        images=2 * len(CLASSES),
    )


def test_a_second_opinion_is_a_curve_of_its_own_and_beside_the_rounds_classes(page: PageModel) -> None:
    view = fold(View(), EVENTS)
    assert page.after(payload(view, 0))["opinions"] == []
    after = fold(view, [opinion(0, 0.25), opinion(1, 0.5)])
    told = payload(after, view.seq)
    assert told is not None
    assert told["opinions"]["points"] == [[1.0, 0.25, 0.8, 0.5], [2.0, 0.5, 0.8, 1.5]]
    assert page.after(payload(view, 0), told)["opinions"] == told["opinions"]["points"]
    results = fold_results({}, [*EVENTS, opinion(2, 0.4)])
    assert [result.named for result in results.values()] == [0.4]


def test_a_judges_shares_by_class_stand_beside_the_images_of_their_round() -> None:
    batches = Batches()
    for event in EVENTS:
        if isinstance(event, RoundSynthesized):
            batches.add(event)
    batches.named(opinion(1, 0.3))
    batches.named(opinion(99, 0.3))  # of a round that is not kept
    kept = {round_: batches.nearest(round_) for round_ in (0, 1)}
    assert kept[0] is not None
    assert kept[1] is not None
    assert "named" not in kept[0].by_class
    assert kept[1].by_class["named"] == [0.0, 0.2, 0.4, 0.6]


def test_folding_leaves_the_old_view_as_it_was() -> None:
    before = fold(View(), EVENTS[:5])
    told = payload(before, 0)
    fold(before, EVENTS[5:])
    assert payload(before, 0) == told


@pytest.mark.parametrize("parts", [None, LAB_PARTS], ids=["run", "arm of a lab"])
@given(asked_at=st.lists(st.integers(1, len(TWO_SEEDS)), max_size=8))
def test_a_late_joiner_sees_what_an_early_one_sees(
    page: PageModel, parts: Sequence[str] | None, asked_at: list[int]
) -> None:
    view, seq, done = View(), 0, 0
    updates = []
    for at in [*sorted(asked_at), len(TWO_SEEDS)]:
        view, done = fold(view, TWO_SEEDS[done:at]), max(done, at)
        updates.append(payload(view, seq, parts))
        seq = view.seq
    assert page.after(*updates) == page.after(payload(view, 0, parts))


def test_the_pages_model_has_a_place_for_everything_in_an_update(page: PageModel) -> None:
    news = payload(fold(View(), TWO_SEEDS), 0)
    assert news is not None
    assert set(page.after(news)) == set(page.after())
    for name in ("rows", "outputs", "story"):
        assert page.after(news)[name] == news[name]
    assert page.after(news)["losses"] == news["losses"]["points"]


def test_nothing_new_is_none_and_something_new_has_only_that() -> None:
    view = fold(View(), EVENTS[:-3])
    assert payload(view, view.seq) is None
    news = payload(fold(view, [EVENTS[-3]]), view.seq)
    assert isinstance(EVENTS[-3], Evaluated)
    assert news is not None
    assert news["measures"]["points"] == [[3.0, 0.3, 0.3, 2.9]]  # round, accuracy, agreement, seconds
    assert not {"run", "rows", "losses", "outputs"} & set(news)


def test_the_same_condition_twice_is_no_news() -> None:
    view = fold(View(), [Condition("running")])
    assert fold(view, [Condition("running")]) is view
    assert fold(view, [Condition("paused")]).seq == view.seq + 1


def test_a_row_is_the_first_image_of_every_class_with_both_opinions() -> None:
    view = fold(View(), EVENTS)
    made = [event for event in EVENTS if isinstance(event, RoundSynthesized)]
    assert [row.round for row in view.rows] == [0, 1, 2]
    for row, event in zip(view.rows, made, strict=True):
        assert row.labels == tuple(range(len(CLASSES)))
        np.testing.assert_array_equal(row.images, event.images[: len(CLASSES)])
        assert [opinion.label for opinion in row.teacher] == [0, 1, 2, 3]
        assert [opinion.label for opinion in row.student] == [1, 1, 2, 3]
        assert row.teacher[0].confidence == 0.75


def test_old_rows_go_and_the_newest_stay() -> None:
    view = fold(View(), script(Config(rounds=ROWS + 5, generator_steps=1, student_steps=1)))
    assert [row.round for row in view.rows] == list(range(5, ROWS + 5))


@pytest.mark.parametrize("arm", [0, 1])
def test_after_a_long_absence_only_what_is_still_on_the_map_is_placed_there(
    monkeypatch: pytest.MonkeyPatch, arm: int
) -> None:
    seeds = (Config(seed=seed, rounds=ROWS + 5 - seed, generator_steps=1, student_steps=1) for seed in (0, 1))
    events = [replace(event, arm=arm) for config in seeds for event in script(config) for arm in (0, 1)]
    whole = fold(View(), [event for event in events if event.arm == arm])
    placed = 0
    place = Atlas.place

    def counting(atlas: Atlas, points: ArrayLike, labels: ArrayLike) -> Dots:
        nonlocal placed
        placed += 1
        return place(atlas, points, labels)

    view, on_map = View(), last_on_map(events)
    monkeypatch.setattr(Atlas, "place", counting)
    for number, event in enumerate(events):
        if event.arm == arm:
            view = fold(view, [event], mapped=number in on_map)
    monkeypatch.undo()
    assert payload(view, 0) == payload(whole, 0)
    assert placed == ROWS + 1  # a cloud for each row, and the noisy layer's newest outputs
    for now, then in ((view.outputs, whole.outputs), (view.samples, whole.samples)):
        assert now is not None
        assert then is not None
        np.testing.assert_array_equal(now.points, then.points)


def test_the_preview_goes_when_the_round_is_made() -> None:
    steps = [i for i, event in enumerate(EVENTS) if isinstance(event, GeneratorStep)]
    assert fold(View(), EVENTS[: steps[1] + 1]).making is not None
    assert fold(View(), EVENTS[: steps[1] + 2]).making is None


def test_anchors_never_move_and_outputs_lie_by_their_class() -> None:
    after_one, after_all = fold(View(), EVENTS[:3]), fold(View(), EVENTS)
    assert after_one.atlas is not None
    assert after_all.atlas is not None
    assert after_one.atlas.anchors() == after_all.atlas.anchors()
    assert after_all.outputs is not None
    assert [label for _, _, label in after_all.outputs.dots] == [0, 1, 2, 3] * 2
    assert after_one.outputs != after_all.outputs


def test_a_fold_that_begins_again_replaces_everything_and_keeps_counting(page: PageModel) -> None:
    view = fold(View(), EVENTS)
    again = fold(reset_view(view), EVENTS)
    news = payload(again, view.seq)
    assert news is not None
    assert again.seq > view.seq
    assert news["anew"]
    assert page.after(payload(view, 0), news) == page.after(payload(again, 0))
    assert news["measures"]["points"] == payload(view, 0)["measures"]["points"]  # type: ignore[index]


def test_time_left_is_what_the_latest_rounds_took_and_ends_at_zero() -> None:
    ends = [event for event in EVENTS if isinstance(event, RoundFinished)]
    first = EVENTS[: EVENTS.index(ends[0]) + 1]
    assert seconds_left(fold(View(), first)) == pytest.approx(2.0)
    assert seconds_left(fold(View(), EVENTS)) == 0.0
    assert seconds_left(fold(View(), EVENTS[:3])) is None


def test_time_left_respects_the_runs_own_limit() -> None:
    limited = list(script(SHORT.model_copy(update={"seconds": 1.5})))
    ends = next(i for i, event in enumerate(limited) if isinstance(event, RoundFinished))
    assert seconds_left(fold(View(), limited[: ends + 1])) == pytest.approx(0.5)


def test_time_left_respects_a_limit_of_work() -> None:
    first = EVENTS[: next(i for i, event in enumerate(EVENTS) if isinstance(event, RoundFinished))]
    config = EVENTS[0].config | {"work": 40.0}  # type: ignore[attr-defined]
    events = [
        replace(EVENTS[0], config=config, rounds=1000),
        *first[1:],
        RoundFinished(round=0, seconds=2.0, rounds=1000, work=10.0),
    ]
    assert seconds_left(fold(View(), events)) == pytest.approx(6.0)  # three times the work that took 2 s


def test_time_left_in_slow_motion_contains_the_waits_and_shrinks_within_a_round() -> None:
    first = EVENTS[: next(i for i, event in enumerate(EVENTS) if isinstance(event, RoundFinished)) + 1]
    fast = fold(View(), first)
    slow = fold(fast, [Condition("running", pace=2.6)])
    waits = waits_in_round(SHORT.model_dump())
    took = first[-1].seconds
    assert seconds_left(slow) == pytest.approx((seconds_left(fast) or 0.0) * (1 + 2.6 * waits / took), abs=0.1)
    later = seconds_left(fold(slow, [replace(EVENTS[3], round=1, seconds=took + 0.2)]))
    assert later is not None
    assert later < (seconds_left(slow) or 0.0)


def test_a_student_cut_from_its_teacher_is_told_as_one(page: PageModel) -> None:
    told: Any = {"round": 0, "seconds": 0.0, "accuracy": 0.4, "teacher_accuracy": 0.9, "agreement": None}
    told |= {"images": 9, "measured_on": "test images"}
    start, measured = EvaluatedAtStart(**told, thinned=True), Evaluated(**told)
    view = fold(fold(View(), EVENTS[:1]), [start, measured])
    assert page.after(payload(view, 0))["thinned"] is True
    assert page.after(payload(fold(View(), EVENTS), 0))["thinned"] is False


def test_notes_and_failures_reach_the_page() -> None:
    note = Note(round=0, seconds=0.1, message="The teacher has no BatchNorm.")
    failed = RunFailed(round=0, seconds=0.2, message="ce became NaN in round 1; lower generator_lr.")
    view = fold(View(), [*EVENTS[:3], note, failed, Condition("failed", error=failed.message)])
    news = payload(view, 0)
    assert news is not None
    assert news["notes"] == [note.message]
    assert (news["state"], news["error"]) == ("failed", failed.message)


def test_not_a_number_is_a_gap_in_json() -> None:
    step = next(event for event in EVENTS if isinstance(event, GeneratorStep))
    view = fold(View(), [*EVENTS[:2], replace(step, ce=float("nan"))])
    news = payload(view, 0)
    assert news is not None
    assert news["losses"]["points"][0][1] is None


def test_every_step_of_slow_motion_has_its_sentence() -> None:
    quiet = (RoundFinished,)
    view = View()
    for event in EVENTS[:-1]:
        before, view = view, fold(view, [event])
        if not isinstance(event, quiet):
            assert view.story != before.story
            assert view.story.endswith(".")


@given(st.integers(1, 3 * LONGEST), st.integers(0, 3 * LONGEST))
def test_a_long_curve_is_thinned_and_a_reader_who_missed_that_gets_all(count: int, since: int) -> None:
    series = Series()
    for seq in range(1, count + 1):
        series = series.add(Point(seq, float(seq), (1.0,)))
    assert len(series.points) <= LONGEST
    assert series.points[-1].seq == count
    replace_all, rows = series.since(since)
    if since < series.thinned:
        assert replace_all
        assert len(rows) == len(series.points)
    else:
        assert [row[0] for row in rows] == list(range(since + 1, count + 1))


def test_two_seeds_are_two_views_and_one_seed_is_one() -> None:
    def shown(seed: int) -> object:
        events: list[Event] = list(script(SHORT.model_copy(update={"seed": seed})))
        return payload(fold(View(), events), 0)

    assert shown(1) == shown(1)
    assert shown(1) != shown(2)


def test_the_samples_of_the_newest_rounds_are_kept_where_they_fell() -> None:
    config = SHORT.model_copy(update={"rounds": ROWS + 3})
    events = list(script(config))
    view = fold(View(), events)
    told = rounds(view, 0)
    assert told is not None
    assert [one["round"] for one in told["rounds"]] == list(range(3, ROWS + 3))
    assert told["run"]["classes"] == list(CLASSES)
    assert view.atlas is not None
    last = [event for event in events if isinstance(event, RoundSynthesized)][-1]
    points = view.atlas.place_features(last.features, last.labels)
    placed = view.atlas.basis.project(points)
    np.testing.assert_allclose([dot[:2] for dot in told["rounds"][-1]["dots"]], placed, atol=1e-3)
    gaps = np.linalg.norm(points[:, None] - view.atlas.table, axis=2)  # (n, k)
    home = float((gaps.argmin(axis=1) == last.labels).mean())
    assert told["rounds"][-1]["at_home"] == pytest.approx(home, abs=1e-3)


def test_only_new_rounds_travel() -> None:
    ends = [place for place, event in enumerate(EVENTS) if isinstance(event, RoundFinished)]
    before = fold(View(), EVENTS[: ends[0] + 1])
    assert rounds(before, before.seq) is None
    news = rounds(fold(before, EVENTS[ends[0] + 1 :]), before.seq)
    assert news is not None
    assert [one["round"] for one in news["rounds"]] == [1, 2]
    assert "run" not in news
