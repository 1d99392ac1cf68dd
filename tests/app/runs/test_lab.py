"""A lab on the page: arms are the runs they would be alone; results add up; a point has images behind it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from app.api.command_routes import NAMES
from app.environment import Environment
from app.run_state.batches import KEPT, Batches
from app.run_state.lab_results import Result, fold_results, rows, sentences
from app.run_state.model import DIVERSITY, View
from app.run_state.reducer import fold
from app.runs.plan import Plan, lab_plan
from app.runs.wait_estimate import work_left
from nayer.compare.experiments import Arm
from nayer.errors import ConfigError
from nayer.events import Event, RunFailed, RunStarted
from nayer.networks.cards import teacher_cards
from tests.support.scripted import SHORT, script, synthesized
from tests.support.serving import created, wait_until

SHARED = {"teacher": "digits", "seed": 3, "work": 5.0}


def arm_of(number: int, seed: int = 0) -> list[Event]:
    config = SHORT.model_copy(update={"seed": seed + 10 * number})
    return [dataclasses.replace(event, arm=number) for event in script(config)]


@given(st.randoms(use_true_random=False))
def test_whatever_the_turns_an_arms_view_and_result_are_its_own(random) -> None:
    arms = [arm_of(number) for number in range(3)]
    waiting, mixed = [list(events) for events in arms], []
    while any(waiting):
        mixed.append(random.choice([events for events in waiting if events]).pop(0))
    alone = [fold_results({}, events) for events in arms]
    together = fold_results({}, mixed)
    assert all(together[key] == result for one in alone for key, result in one.items())
    for number, events in enumerate(arms):
        mine = [event for event in mixed if event.arm == number]
        assert fold(View(), mine).measures == fold(View(), events).measures


def test_the_next_seed_begins_anew_and_the_last_one_is_remembered() -> None:
    first, second = list(script(SHORT)), list(script(SHORT.model_copy(update={"seed": 1})))
    view = fold(View(), [*first, *second])
    assert [point.x for point in view.measures.points] == [1.0, 2.0, 3.0]
    assert view.started is not None
    assert view.started.config["seed"] == 1
    assert len(view.rows) == 3
    results = fold_results({}, [*first, *second])
    assert [(key, result.done, result.rounds) for key, result in results.items()] == [
        ((0, 0), True, 3),
        ((0, 1), True, 3),
    ]


def test_results_that_are_told_again_stay_as_they_are() -> None:
    events = [*script(SHORT), *script(SHORT.model_copy(update={"seed": 1}))]
    results = fold_results({}, events)
    assert fold_results(results, events) == results


def test_an_arm_that_failed_is_left_out_of_what_is_said_and_that_is_said() -> None:
    first, second, third = (arm_of(number) for number in range(3))
    same_seed = [
        dataclasses.replace(event, config={**event.config, "seed": 0}) if isinstance(event, RunStarted) else event
        for event in (*first, *second)
    ]
    never_began = RunFailed(round=0, seconds=0.0, arm=2, message="teacher='x' does not exist")
    results = fold_results({}, [*same_seed, never_began])
    assert {arm for arm, _ in results} == {0, 1}
    failed, accuracy = sentences(results, ["A", "B", "C"], failed=[2])
    assert failed == "“C” failed and is left out of the comparison."
    assert accuracy.startswith("With seed 0 all arms")
    broken = fold_results(results, [*third[:3], dataclasses.replace(never_began, round=1)])
    assert broken[2, 20].failure
    assert sentences(broken, ["A", "B", "C"], failed=[2])[1] == accuracy


def test_what_is_said_counts_seeds_that_all_arms_have_done() -> None:
    done = [event for number in range(2) for event in arm_of(number)]
    seeds = [
        dataclasses.replace(event, config={**event.config, "seed": 0}) if isinstance(event, RunStarted) else event
        for event in done
    ]
    results = fold_results({}, seeds)
    (accuracy,) = sentences(results, ["A", "B"])
    assert accuracy == "With seed 0 all arms ended with the same accuracy; one seed proves nothing."
    running = fold_results({}, seeds[: len(arm_of(0)) + 9])
    assert sentences(running, ["A", "B"])[0].startswith("So far, with seed 0 ")


def test_diversity_is_told_once_two_arms_have_it() -> None:
    one, other = Result(0, 0, accuracy=0.1, pool=2.0), Result(1, 0, accuracy=0.1)
    assert len(sentences({(0, 0): one, (1, 0): other}, ["A", "B"])) == 1
    later = dataclasses.replace(other, pool=1.5)
    assert "the highest diversity over the pool (2.00)" in sentences({(0, 0): one, (1, 0): later}, ["A", "B"])[1]


def test_the_time_left_is_unknown_until_the_first_round_has_ended() -> None:
    plan = Plan(tuple(Arm(title, SHORT.model_copy(update={"rounds": 100_000, "work": 100.0})) for title in "AB"))
    assert work_left(plan, {(0, 0): Result(0, 0, seconds=19.0, rounds=1, steps=5)}, []) is None
    assert work_left(plan, {(0, 0): Result(0, 0, seconds=20.0, rounds=2, work=10.0)}, []) == 180.0 + 200.0


def test_an_arm_that_fails_keeps_its_sentence() -> None:
    failed = [*arm_of(0)[:5], RunFailed(round=0, seconds=1.0, message="the loss became nan")]
    [row] = rows(fold_results({}, failed))
    assert (row["failure"], row["done"]) == ("the loss became nan", True)
    assert fold(View(), failed).failure == "the loss became nan"


def test_batches_are_bounded_and_the_nearest_round_answers() -> None:
    batches, rng = Batches(), np.random.default_rng(0)
    assert batches.nearest(3) is None
    for round_ in range(3 * KEPT):
        batches.add(synthesized(round_, rng, pool=1, capacity=10))
    assert len(batches._kept) <= KEPT
    assert {3 * KEPT - 1, 3 * KEPT - 2, 0} - set(batches._kept) <= {0}
    near = batches.nearest(1)
    assert near is not None
    assert near.labels == sorted(near.labels)
    assert near.picture.startswith(b"\xff\xd8")
    assert batches.picture(near.number) == near.picture
    batches.clear()
    batches.add(synthesized(near.round, rng, pool=1, capacity=10))  # the same round of the next seed
    assert batches.picture(near.number) is None


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"experiment": "x"}, "experiment must be one of reset, .*'x' was given"),
        ({"repeats": 0}, "repeats must be a whole number from 1 to"),
        (
            {"repeats": 5, "shared": {**SHARED, "work": 1e4}},
            "150,000 billion multiply-adds; a shared page allows 40,000",
        ),
        ({"shared": {**SHARED, "work": 0.5}}, "; 0.5 was given"),
        ({"shared": {**SHARED, "work": "long"}}, "; 'long' was given"),
        ({"shared": {**SHARED, "teacher": "nobody"}}, "teacher must be one of digits, .*'nobody' was given"),
        ({"own": [{"preset": "nayer"}]}, "arms must be 2 to 6 for a lab; 1 were given."),
        ({"own": [{"preset": "gan"}, {}]}, "preset must be one of nayer, .*'gan' was given"),
        ({"own": [{"settings": 3}, {}]}, "settings of arm 1 must be names and values; '3' was given"),
        ({"own": [{"seed": 3}, {}]}, "'seed' is no part of arm 1; an arm has title, preset, settings."),
        ({"own": [{}, {"title": 1.5}]}, "title of arm 2 must be a text; '1.5' was given."),
        ({"own": [{"preset": ["nayer"]}, {}]}, "preset of arm 1 must be a text; ..'nayer'.. was given."),
        ({"own": [{"title": "\u200b"}, {}]}, "title of arm 1, .*, is invisible; use a title that can be seen."),
        ({"own": [{"title": "a"}, {"title": " a"}]}, "title of arm 2, 'a', is the title of arm 1 too; give every arm"),
        ({"own": [{"settings": {"encoder": "x"}}, {}]}, "encoder='x' cannot be chosen on a shared page"),
    ],
)
def test_a_plan_that_will_not_do_is_refused_in_one_sentence(more, says) -> None:
    given = {"experiment": "reset", "own": [], "shared": SHARED, "repeats": 1} | more
    with pytest.raises(ConfigError, match=says):
        lab_plan(given["experiment"], given["own"], given["shared"], given["repeats"], teacher_cards(), local=False)


def test_own_arms_share_what_is_shared() -> None:
    own = [{"title": "  a \n b ", "settings": {"noisy_reset_every": 0}}, {"preset": "dfq"}]
    plan = lab_plan("reset", own, SHARED, 2, teacher_cards(), local=True)
    assert [arm.title for arm in plan.arms] == ["a b", "dfq 2"]
    assert {(c.teacher, c.seed, c.work, c.rounds) for c in plan.configs} == {("digits", 3, 5.0, 100_000)}
    assert plan.configs[0].noisy_reset_every == 0
    assert plan.seeds == (3, 4)


# --- for real, through the routes


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(created(environment=Environment(grace_seconds=30.0)), base_url="http://127.0.0.1") as client:
        yield client


def command(client: TestClient, name: str, *data: object) -> dict:
    return client.post(f"/gradio_api/run/{name}", json={"data": data}).json()


def test_to_the_pages_own_script_a_refusal_is_an_answer(client: TestClient) -> None:
    refused = client.post("/command/start_lab", json=["nothing", "digits", 0, 3.0, 1, [], ""])
    assert (refused.status_code, set(refused.json())) == (200, {"error"})
    assert refused.json()["error"].startswith("experiment must be one of reset")
    assert client.post("/command/status", json=["x"]).status_code == 404
    assert client.post("/command/pause", json=[]).status_code == 422
    assert client.post("/command/runs", json=["nobody"]).json() == {"told": []}
    for name in [name for name in NAMES[1:] if name != "runs"]:
        more = {"redraws": [1], "change": [{}], "describe": ["", ""], "class_code": ["live", "http://127.0.0.1/"]}
        rest = more.get(name, [])
        assert "does not exist" in client.post(f"/command/{name}", json=["nobody", "", *rest]).json()["error"]


def test_a_lab_runs_its_arms_side_by_side_and_answers_every_question(client: TestClient) -> None:
    quick = {"generator_steps": 3, "student_steps": 3, "noisy_width": 64, "warmup_rounds": 1}
    own = [{"title": "re-drawn", "settings": quick}, {"title": "held", "settings": {**quick, "noisy_reset_every": 0}}]
    [begun] = command(client, "start_lab", "", "digits", 0, 12.0, 1, own, "")["data"]
    run, token = begun["run"], begun["token"]
    assert begun["arms"] == ["re-drawn", "held"]
    wait_until(lambda: len(client.get(f"/live/{run}/lab").json()["results"]) == 2, what="both arms' beginning")
    began = time.monotonic()
    [strip] = command(client, "redraws", run, token, 3, 16, 1)["data"]
    assert time.monotonic() - began < 20  # a bound for slow machines only; `bench` prints the time
    assert strip["varied"] == "noisy layer"
    assert len(strip["redrawn"]["teacher"]) == len(strip["held"]["teacher"]) == 16
    assert strip["held"]["picture"].startswith("data:image/jpeg;base64,")
    assert command(client, "change", run, token, {"noisy_reset_every": 2}, 0)["data"]
    wait_until(lambda: client.get(f"/live/{run}/lab").json()["state"] == "finished", what="the end")
    lab = client.get(f"/live/{run}/lab").json()
    assert [row["done"] for row in lab["results"]] == [True, True]
    assert all(row["work"] >= 12.0 for row in lab["results"])
    assert lab["done"] == 1.0
    assert "one seed proves nothing" in lab["sentences"][0]
    assert lab["left"] == 0.0
    assert client.get(f"/live/{run}/lab?since={lab['seq']}").status_code == 204
    again = client.get(f"/live/{run}/lab?since=0,{lab['seq'].split(',')[1]}").json()
    assert (again["news"][0], again["news"][1]) == (lab["news"][0], None)
    news = [client.get(f"/live/{run}/arm/{arm}/status").json() for arm in (0, 1)]
    assert [one["rows"] for one in lab["news"]] == [one["rows"] for one in news]
    assert "losses" in news[0]
    assert "losses" not in lab["news"][0]
    assert news[0]["changes"][0][1] == "noisy_reset_every 1 → 2"
    assert "changes" not in news[1]
    assert len(news[0]["diversity"]["points"][-1]) == 1 + len(DIVERSITY)
    frame = news[1]["rows"][-1]["frame"]
    assert client.get(f"/live/{run}/arm/1/frame/{frame}.jpg").headers["content-type"] == "image/jpeg"
    batch = client.get(f"/live/{run}/arm/1/round/2").json()
    assert len(batch["labels"]) == len(batch["teacher"]) == 100
    assert len(batch["by_class"]["vendi"]) == 10
    picture = client.get(f"/live/{run}/arm/1/batch/{batch['number']}.jpg")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    assert "immutable" in picture.headers["cache-control"]
    assert client.get(f"/live/{run}/arm/1/batch/{10**6}.jpg").status_code == 404
    assert client.get(f"/live/{run}/arm/7/status").status_code == 404
    assert "arm=7 is not part of this run" in client.get(f"/live/{run}/arm/7/round/2").json()["error"]
    assert "different images among 16" in command(client, "redraws", run, token, 3, 16, 1)["data"][0]["sentence"]
    assert "has ended" in command(client, "change", run, token, {"noisy_reset_every": 2}, 0)["error"]
    assert "label must be 0 to 9; 12 was given" in command(client, "redraws", run, token, 12, 16, 1)["error"]
    assert "count must be 1 to 64; 999 was given" in command(client, "redraws", run, token, 1, 999, 1)["error"]


def test_a_plan_that_was_stored_before_texts_were_checked_can_be_shown() -> None:
    plan = lab_plan("reset", [], SHARED, 1, teacher_cards(), local=False)
    stored = plan.to_json().replace('"every round"', '"every\\ud800\\u202e round"')
    titles = [arm.title for arm in Plan.from_json(stored).arms]
    assert titles[0] == "every\ufffd\ufffd round"
