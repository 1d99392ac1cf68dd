"""Images that visitors try, through the whole application: what is answered, and what is refused in a sentence."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from app.api import errors
from app.api.trial_routes import MOST_NUMBERS, trial_routes
from app.content import messages
from app.environment import Environment
from app.fairness.fair_executor import FairExecutor
from app.runs import real_strips
from app.runs.history import Resumed
from app.runs.live_run import LiveRun
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.runs.real_strips import RealStrips
from app.runs.recordings import SHIPPED
from app.runs.trials import EXAMINERS_BYTES, Trials
from app.server import open_source
from nayer.common.paths import ASSETS
from nayer.data.test_sets import load_testset
from nayer.networks.cards import teacher_cards
from tests.support.serving import created, wait_until
from tests.support.tiny import QUICK
from tests.support.uploaded import drawn

BLACK = [0] * 64
LASTING = QUICK.model_copy(update={"rounds": 100_000})


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    environment = Environment(grace_seconds=30.0, recording=ASSETS / "recordings/emoji10.nayer")
    with TestClient(created(environment=environment), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture(scope="module")
def run(client: TestClient) -> Iterator[LiveRun]:
    """One that stands still after some rounds."""
    registry: RunManager = client.app.state.registry  # type: ignore[attr-defined]
    run = registry.start(Plan.alone(LASTING), registry.visitor(""))
    wait_until(lambda: run.refresh().rounds_done > 1)
    run.pause()
    yield run
    registry.stop(run.id, run.owner)


def ask(client: TestClient, path: str, pixels: object = BLACK) -> tuple[int, dict[str, Any]]:
    answer = client.post(path, json={"pixels": pixels})
    return answer.status_code, answer.json()


def test_all_three_networks_of_a_run_answer_whoever_knows_its_id(client: TestClient, run: LiveRun) -> None:
    status, said = ask(client, f"/live/{run.id}/try")  # no token: as for whoever watches
    assert status == 200
    for name in ("teacher", "untrained", "student"):
        assert sum(said[name]) == pytest.approx(1.0, abs=0.01)
    assert said["classes"] == list(run.refresh().started.classes)  # type: ignore[union-attr]
    assert said["sentence"] == ""
    run.step("round")
    wait_until(lambda: ask(client, f"/live/{run.id}/try")[1]["round"] > said["round"])


def test_a_recording_says_why_its_student_cannot_answer(client: TestClient) -> None:
    status, said = ask(client, f"/live/{SHIPPED}/try", [0] * 3 * 32 * 32)
    assert status == 200
    assert said["student"] is None
    assert said["teacher"]
    assert said["untrained"]
    assert said["sentence"] == messages.TRY_RECORDED


def test_a_run_that_waits_for_a_place_is_answered_by_its_teacher(client: TestClient) -> None:
    registry = RunManager(open_source, capacity=0)
    run = registry.start(Plan.alone(LASTING), registry.visitor(""))
    said = Trials(registry, teacher_cards()).of_run(run.id, 0, BLACK)
    assert said["student"] is None
    assert said["sentence"] == messages.TRY_QUEUED
    registry.close()


def test_a_run_that_is_over_is_answered_while_its_weights_are_there_and_then_says_so() -> None:
    registry = RunManager(open_source)
    run = registry.start(Plan.alone(LASTING.changed({"rounds": 2})), registry.visitor(""))
    wait_until(lambda: run.ended)
    trials = Trials(registry, teacher_cards())
    assert trials.of_run(run.id, 0, BLACK)["student"] is not None
    run.release()
    said = trials.of_run(run.id, 0, BLACK)
    assert said["student"] is None
    assert said["sentence"] == messages.TRY_GONE
    registry.close()


def test_a_run_that_goes_on_after_a_restart_answers_too() -> None:
    source = Resumed(open_source(Plan.alone(LASTING.changed({"rounds": 1}))), 1)
    assert [event.round for event in source.events()]
    assert source.examined(0) is None
    networks = source.examine(0)
    assert source.examined(0) is networks
    assert networks.opinions(np.zeros((1, 8, 8), np.uint8)).student is not None
    assert source.real_image(0, 3, 0).label == 3


def test_a_teacher_answers_without_any_run_and_shows_its_test_images(client: TestClient) -> None:
    real = client.get("/teacher/digits/real?label=7&pick=2").json()
    assert real["label"] == 7
    status, said = ask(client, "/teacher/digits/try", real["pixels"])
    assert status == 200
    assert said["classes"][said["teacher"].index(max(said["teacher"]))] == "seven"
    assert said["student"] is None
    assert said["sentence"] == messages.TRY_NO_RUN


def test_a_runs_test_images_are_those_it_is_measured_on(client: TestClient, run: LiveRun) -> None:
    assert client.get(f"/live/{run.id}/real?label=3").json() == client.get("/teacher/digits/real?label=3").json()
    refused = client.get(f"/live/{run.id}/real?label=10")
    assert (refused.status_code, refused.json()["error"]) == (
        422,
        "label=10 has no test images; choose another class.",
    )


@pytest.mark.parametrize(
    ("pixels", "sentence"),
    [
        ([0] * 63, "pixels must be 64 numbers (1 × 8 × 8); 63 were given."),
        ([], "pixels must be 64 numbers (1 × 8 × 8); 0 were given."),
        ([256, *BLACK[1:]], "body.pixels.0 must be 255 or less; 256 was given."),
        ([-1, *BLACK[1:]], "body.pixels.0 must be 0 or more; -1 was given."),
        ([0.5, *BLACK[1:]], "body.pixels.0 must be a whole number; 0.5 was given."),
        ([True, *BLACK[1:]], "body.pixels.0 must be a whole number; True was given."),
        (["0", *BLACK[1:]], "body.pixels.0 must be a whole number; '0' was given."),
        ([[0], *BLACK[1:]], "body.pixels.0 must be a whole number; [0] was given."),
        ("x", "body.pixels must be a list; 'x' was given."),
        ([0] * (MOST_NUMBERS + 1), f"body.pixels must be a collection of at most {MOST_NUMBERS} entries"),
    ],
    ids=["short", "none", "high", "low", "part", "truth", "text", "list", "no list", "long"],
)
@pytest.mark.parametrize("of", ["run", "teacher"])
def test_what_is_no_image_is_refused_in_one_sentence(
    client: TestClient, run: LiveRun, of: str, pixels: object, sentence: str
) -> None:
    path = f"/live/{run.id}/try" if of == "run" else "/teacher/digits/try"
    status, said = ask(client, path, pixels)
    assert status == 422
    assert sentence.removeprefix("body.") in said["error"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(client: TestClient, run: LiveRun, number: str) -> None:
    body = f'{{"pixels": [{number}{", 0" * 63}]}}'
    answer = client.post(f"/live/{run.id}/try", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert "use finite numbers" in answer.json()["error"]


def test_what_is_not_there_is_told_apart(client: TestClient, run: LiveRun) -> None:
    assert ask(client, "/live/nobody/try")[0] == 404
    assert ask(client, f"/live/{run.id}/arm/3/try")[0] == 404
    status, said = ask(client, "/teacher/nobody/try")
    assert status == 422
    assert "teacher='nobody'" in said["error"]


def test_a_teacher_that_somebody_brought_answers_under_no_name(client: TestClient) -> None:
    status, said = ask(client, "/teacher/upload:0123456789abcdef/try")
    assert status == 422
    assert "is loaded with a run only" in said["error"]


def test_an_address_that_asks_without_end_is_refused_and_others_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "BUSY_SECONDS", 0.0)
    turns = FairExecutor("images to try", workers=1, waiting=2, each=1)
    application, free, begun = FastAPI(), threading.Event(), threading.Event()
    errors.add_handlers(application)
    registry = RunManager(open_source)
    application.include_router(trial_routes(Trials(registry, teacher_cards()), RealStrips(teacher_cards()), turns))
    client = TestClient(application)

    def hold() -> None:
        begun.set()
        assert free.wait(10)

    with ThreadPoolExecutor(1):
        held = turns.submit(hold)
        assert begun.wait(10)
        waiting = turns.submit(lambda: None)
        answer = client.post("/teacher/digits/try", json={"pixels": BLACK})
        assert answer.status_code == 429
        assert answer.json()["error"].startswith("images to try: the queue takes no more of your address")
        assert answer.headers["Retry-After"]
        free.set()
        wait_until(lambda: held.done() and waiting.done())
    assert client.post("/teacher/digits/try", json={"pixels": BLACK}).status_code == 200
    registry.close()


def test_real_images_come_as_one_picture_a_class_in_the_order_of_the_classes() -> None:
    strips = RealStrips(teacher_cards())
    first, second = (Image.open(io.BytesIO(strips.picture("emoji10", pick) or b"")) for pick in (0, 1))
    assert first.size == second.size == (10 * 32, 32)
    testset = load_testset(next(card for card in teacher_cards() if card.name == "emoji10"))
    assert testset is not None
    for label in (0, 9):
        real = testset.images[testset.labels == label][0].transpose(1, 2, 0).astype(int)
        shown = np.asarray(first)[:, 32 * label : 32 * (label + 1)].astype(int)
        assert np.abs(real - shown).mean() < 6  # JPEG
    assert strips.picture("nobody") is None


def test_the_images_behind_the_answers_are_the_test_images_in_the_runs_own_order(client: TestClient) -> None:
    registry: RunManager = client.app.state.registry  # type: ignore[attr-defined]
    run = registry.start(Plan.alone(QUICK.model_copy(update={"test_images": 60})), registry.visitor(""))
    wait_until(lambda: run.ended)
    [card] = [card for card in teacher_cards() if card.name == "digits"]
    testset = load_testset(card)
    assert testset is not None
    places = np.linspace(0, len(testset.images) - 1, 60).astype(int)
    told = client.get(f"/live/{run.id}/answers").json()
    assert [ord(one) - 48 for one in told["labels"]] == testset.labels[places].tolist()
    answer = client.get(f"/live/{run.id}/tested.jpg?places=0,17,59")
    assert answer.headers["content-type"] == "image/jpeg"
    shown = np.asarray(Image.open(io.BytesIO(answer.content))).astype(int)
    wanted = np.concatenate([testset.images[places[one], 0] for one in (0, 17, 59)], axis=1)
    assert np.abs(shown - wanted).mean() < 4  # JPEG
    assert client.get(f"/live/{run.id}/answers?since={told['seq']}").status_code == 204


def test_an_owners_own_test_images_come_from_the_run_and_only_as_long_as_it_is_in_memory(
    client: TestClient, tmp_path: Path
) -> None:
    registry: RunManager = client.app.state.registry  # type: ignore[attr-defined]
    [card] = [card for card in teacher_cards() if card.name == "digits"]
    (tmp_path / "own.zip").write_bytes(drawn(card.classes[:6]))  # shades 0, 1, 40, 41, …
    config = QUICK.model_copy(update={"test_data": str(tmp_path / "own.zip")})
    run = registry.start(Plan.alone(config), registry.visitor(""))
    wait_until(lambda: run.ended)
    told = client.get(f"/live/{run.id}/answers").json()
    labels = np.array([ord(one) - 48 for one in told["labels"]])
    answer = client.get(f"/live/{run.id}/tested.jpg?places=" + ",".join(map(str, range(len(labels)))))
    shades = np.asarray(Image.open(io.BytesIO(answer.content))).astype(int).reshape(8, len(labels), 8).mean(axis=(0, 2))
    assert np.abs(shades - 40 * labels).max() < 4  # each image is that of its answer
    other = registry.start(Plan.alone(config), registry.visitor(""))
    wait_until(lambda: other.ended)
    other.session.release()
    assert client.get(f"/live/{other.id}/tested.jpg?places=0").status_code == 204


@pytest.mark.parametrize("places", ["", "60", "500", "1,-1", "one", ",".join(["0"] * 61)])
def test_other_places_are_refused_in_a_sentence(client: TestClient, run: LiveRun, places: str) -> None:
    address = f"/live/{SHIPPED if places == '60' else run.id}/tested.jpg"
    answer = client.get(f"{address}?places={places.replace('60', '600')}")
    assert answer.status_code == 422
    assert "places" in answer.json()["error"]


def test_the_images_of_the_shipped_recording_are_there_and_those_of_nobody_are_not(client: TestClient) -> None:
    assert client.get(f"/live/{SHIPPED}/tested.jpg?places=0,599").status_code == 200
    assert client.get("/live/nobody/tested.jpg?places=0").status_code == 404


def test_a_student_that_is_too_large_is_not_made_for_a_question_and_what_is_kept_is_bounded() -> None:
    registry = RunManager(open_source, capacity=0)
    trials = Trials(registry, teacher_cards())
    wide = LASTING.model_copy(update={"student": "wrn16-16"})  # 175 MB
    run = registry.start(Plan.alone(wide), registry.visitor(""))
    said = trials.of_run(run.id, 0, BLACK)
    assert said["teacher"]
    assert said["untrained"] is said["student"] is None
    for seed in range(12):
        changes = {"student": "wrn16-4", "seed": seed}  # 11 MB each
        other = registry.start(Plan.alone(LASTING.model_copy(update=changes)), registry.visitor(""))
        assert trials.of_run(other.id, 0, BLACK)["untrained"]
    kept = [examiner for examiner, _, _ in trials._examiners._kept.values()]
    assert sum(examiner.nbytes for examiner in kept) <= EXAMINERS_BYTES
    registry.close()


def test_the_strips_of_every_teacher_are_drawn_once_however_often_they_are_asked_for(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn_now: list[int] = []
    monkeypatch.setattr(real_strips, "jpeg", lambda images: drawn_now.append(len(images)) or bytes(2))
    real_strips._strip.cache_clear()
    for _ in range(2):
        for name, pick in ((name, pick) for name in ("digits", "emoji10-plain") for pick in range(35)):
            assert client.get(f"/teacher/{name}/real.jpg?pick={pick}").status_code == 200
    assert len(drawn_now) == 70
    real_strips._strip.cache_clear()
