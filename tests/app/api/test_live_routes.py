"""The two plain routes, through the whole application."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.routing import Mount
from starlette.testclient import TestClient

from app.api.cache_control import FOREVER, NOT_KEPT
from app.api.errors import add_handlers
from app.api.live_routes import routes
from app.api.poll_pacer import PollPacer
from app.api.static_files import ROOMS, served, static_files, static_version, style_sheets
from app.content.messages import PARTS
from app.fairness.fair_executor import FairExecutor
from app.fairness.request_slots import FINDING
from app.gradio_ui.compat import SESSIONS
from app.runs.live_run import LiveRun
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.runs.registry import NoSuchRun
from app.web_page.one_script import STATIC
from tests.support.gates import Gate
from tests.support.scripted import CLASSES, SHORT, SIDE
from tests.support.serving import created, wait_until


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate()


@pytest.fixture(scope="module")
def client(gate: Gate) -> Iterator[TestClient]:
    with TestClient(created(gate.opener), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def run(client: TestClient, gate: Gate) -> LiveRun:
    """A finished run."""
    registry: RunManager = client.app.state.registry  # type: ignore[attr-defined]
    run = registry.start(Plan.alone(SHORT), registry.visitor(""))
    gate.open.set()
    wait_until(lambda: run.ended)
    return run


def test_status_gives_everything_then_nothing(client: TestClient, run: LiveRun) -> None:
    answer = client.get(f"/live/{run.id}/status")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    news = answer.json()
    assert news["state"] == "finished"
    assert news["run"]["classes"] == list(CLASSES)
    assert len(news["measures"]["points"]) == SHORT.rounds
    again = client.get(f"/live/{run.id}/status?since={news['seq']}")
    assert again.status_code == 204
    assert float(again.headers["Ask-Again"]) > 0.0
    assert again.content == b""


def test_a_frame_is_the_rows_images_side_by_side_and_may_be_kept_for_ever(client: TestClient, run: LiveRun) -> None:
    row = client.get(f"/live/{run.id}/status").json()["rows"][0]
    answer = client.get(f"/live/{run.id}/frame/{row['frame']}.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]
    picture = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert picture.shape == (SIDE, SIDE * len(CLASSES))
    wanted = np.concatenate([image[0] for image in run.views[0].rows[0].images], axis=1)
    assert np.abs(picture.astype(int) - wanted).mean() < 10


@pytest.mark.parametrize("path", ["status", "frame/1.jpg", "umap", "rounds"], ids=["status", "frame", "umap", "rounds"])
def test_an_unknown_run_is_404_with_a_sentence(client: TestClient, path: str) -> None:
    answer = client.get(f"/live/nobody/{path}")
    assert answer.status_code == 404
    assert "does not exist" in answer.json()["error"]


def test_a_frame_that_is_gone_is_404(client: TestClient, run: LiveRun) -> None:
    assert client.get(f"/live/{run.id}/frame/999999.jpg").status_code == 404


def test_only_the_stages_own_files_are_served(client: TestClient) -> None:
    version = static_version()
    files = static_files()
    ours = {path for path in STATIC.rglob("*") if path.suffix in (".js", ".css")}
    in_files = set((STATIC / "run_page").iterdir())  # a web page of a run holds these itself
    assert ours - in_files == set(files.values())
    for name, path in files.items():
        assert client.get(f"/stage/{version}/{name}").content == served(path)
    for name in (
        "live.py",
        "..%2Flive.py",
        "core/../../live.py",
        "core%2F..%2F..%2Flive.py",
        "core",
        "core/types.d.ts",
        "none.js",
    ):
        assert client.get(f"/stage/{version}/{name}").status_code == 404


def test_a_file_is_kept_for_ever_only_under_the_version_that_it_has(client: TestClient) -> None:
    for version, kept in ((static_version(), FOREVER), ("0123456789ab", NOT_KEPT)):
        assert client.get(f"/stage/{version}/core/base.css").headers["Cache-Control"] == kept["Cache-Control"]


def test_style_sheets_come_in_the_order_of_the_rooms_and_the_palette_first() -> None:
    sheets = style_sheets()
    assert sheets[0] == "core/base.css"
    assert [name.split("/")[0] for name in sheets] == sorted(
        (name.split("/")[0] for name in sheets), key=list(ROOMS).index
    )


def test_the_page_names_the_style_sheet_and_fetches_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/").text
    assert f"stage/{static_version()}/core/base.css" in page
    config = client.get("/config").json()
    stage = next(c["props"] for c in config["components"] if c["props"].get("elem_id") == "stage")
    assert set(stage["props"]["parts"]) == set(PARTS)
    assert not [line for line in page.splitlines() if 'src="http' in line or "fonts.googleapis" in line]


def test_private_events_are_not_offered_and_public_ones_are_documented(client: TestClient) -> None:
    named = client.get("/gradio_api/info").json()["named_endpoints"]
    commands = {
        "/start",
        "/start_lab",
        "/redraws",
        "/pause",
        "/resume",
        "/step",
        "/pace",
        "/change",
        "/stop",
        "/status",
    }
    assert set(named) == commands | {"/embeddings", "/embeddings_umap"}
    assert all(endpoint["description"] for endpoint in named.values())


def command(client: TestClient, name: str, *data: object) -> tuple[int, dict[str, object]]:
    answer = client.post(f"/gradio_api/run/{name}", json={"data": data})
    return answer.status_code, answer.json()


def test_a_strangers_command_is_refused_in_one_sentence(client: TestClient, run: LiveRun) -> None:
    for name, *rest in [
        ("pause",),
        ("resume",),
        ("step", "round"),
        ("pace", 1.0),
        ("change", {"noisy_reset_every": 0}, 0),
        ("redraws", 1, 16, 0),
        ("stop",),
    ]:
        status, answer = command(client, str(name), run.id, "not-the-token", *rest)
        assert status == 422
        assert "belongs to someone else" in str(answer["error"])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (["nobody", "nayer", 0, "lte", 1, {}, ""], "teacher must be one of"),
        (["digits", "none", 0, "lte", 1, {}, ""], "preset must be one of nayer"),
        (["digits", "nayer", -1, "lte", 1, {}, ""], "seed must be a whole number from 0 to"),
        (["digits", "nayer", 0, "clip", 1, {}, ""], "latent must be one of lte, one-hot"),
        (["digits", "nayer", 0, "lte", 1, {"temperature": 0}, ""], "temperature must be a number from"),
        (["digits", "nayer", 0, "lte", 1, {"colour": 3}, ""], "colour is not a setting"),
    ],
)
def test_what_cannot_be_started_is_said_in_one_sentence(client: TestClient, data: list[object], sentence: str) -> None:
    status, answer = command(client, "start", *data)
    assert status == 422
    assert str(answer["error"]).startswith(sentence)
    assert "Traceback" not in str(answer)


def test_unknown_steps_and_paces_are_refused(client: TestClient, run: LiveRun) -> None:
    _, answer = command(client, "step", run.id, run.owner, "leap")
    assert answer["error"] == "kind must be one of redraw, generator, student, round; 'leap' was given."
    _, answer = command(client, "pace", run.id, run.owner, 1e9)
    assert "seconds must be a number from 0 to 30" in str(answer["error"])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("run/stop", {"data": ["x"]}, 422),  # too few
        ("run/status", {"data": [1, 2, 3]}, 422),
        ("call/v2/stop", {"run": "x", "token": "x", "colour": 1}, 422),
        ("call/v2/nothing", {}, 422),
        ("run/nothing", {"data": []}, 422),
        ("run/stop", {"data": "x"}, 422),
        ("run/stop", [], 422),
        ("queue/join", {"data": [], "fn_index": 9999, "session_hash": "s"}, 422),
    ],
)
def test_a_callers_mistake_is_told_as_one(client: TestClient, path: str, body: object, status: int) -> None:
    answer = client.post(f"/gradio_api/{path}", json=body)
    assert answer.status_code == status
    assert len(answer.content) < 1000


@pytest.mark.parametrize("told", [None, [], "x", {"run": [], "token": {}}])
def test_the_pages_own_events_bear_anything_in_the_place_of_its_words(client: TestClient, told: object) -> None:
    events = [event for event in client.get("/config").json()["dependencies"] if event["api_visibility"] == "private"]
    for event in events:
        asked = {"fn_index": event["id"], "data": [None] * len(event["inputs"]), "event_data": told}
        body = json.dumps(asked | {"session_hash": f"s{event['id']}"})
        client.post("/gradio_api/queue/join", content=body, headers={"Content-Type": "application/json"})
        answer = client.get(f"/gradio_api/queue/data?session_hash=s{event['id']}").text
        assert "process_completed" in answer
        assert "Error" not in answer.replace("That does not work", "")


def test_a_fault_of_ours_is_told_by_a_number_that_the_log_has(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: RunManager, run: str) -> LiveRun:
        raise RuntimeError(f"/secret/path/{run}")

    monkeypatch.setattr(RunManager, "look", broken)
    status, answer = command(client, "status", "x", 0, 0)
    assert status == 500
    assert "secret" not in str(answer)
    number = str(answer["error"]).split("number ")[1][:8]
    assert number in caplog.text


def test_of_invented_sessions_the_newest_few_are_kept(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    [gradio] = [route.app for route in client.app.routes if isinstance(route, Mount)]  # type: ignore[attr-defined]
    assert gradio.state_holder.capacity == SESSIONS
    monkeypatch.setattr(gradio.state_holder, "capacity", 3)
    gradio.state_holder.session_data.clear()
    for number in range(6):
        body = {"data": ["nobody", 0, 0], "session_hash": f"invented {number}"}
        assert client.post("/gradio_api/run/status", json=body).status_code == 422
    assert "invented 5" in gradio.state_holder
    assert "invented 0" not in gradio.state_holder


def test_a_page_whose_answers_were_forgotten_gets_its_next_ones_and_waits_for_no_others(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    [gradio] = [route.app for route in client.app.routes if isinstance(route, Mount)]  # type: ignore[attr-defined]
    queue = gradio.get_blocks()._queue
    queue.pending_messages_per_session.clear()  # of the tests before
    monkeypatch.setattr(queue.pending_messages_per_session, "max_size", 2)
    stop = next(one["id"] for one in client.get("/config").json()["dependencies"] if one["api_name"] == "stop")

    def asks(session: str) -> None:
        body = {"fn_index": stop, "data": ["nobody", "nothing"], "session_hash": session}
        assert client.post("/gradio_api/queue/join", json=body).status_code == 200

    queue.pending_messages_per_session["nobody"].put_nowait("what comes too late for a page is lost, and no error")
    for session in ("first", "second", "third", "first"):
        asks(session)
        wait_until(lambda: not any(queue.active_jobs) and not len(queue))  # none is under way as its page goes
    answer = client.get("/gradio_api/queue/data?session_hash=first").text  # ends once nothing is waited for
    assert "process_completed" in answer
    assert "second" not in queue.pending_event_ids_session


def test_runs_of_the_past_are_loaded_a_few_at_a_time_for_one_address() -> None:
    at_once, most = [0], [0]

    class Past:
        """Every run is one of the past, which takes a while to load."""

        def in_memory(self, run: str) -> bool:
            return False

        def find(self, run: str) -> LiveRun:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
            time.sleep(0.05)
            at_once[0] -= 1
            raise NoSuchRun("gone")

    turns = FairExecutor("requests", workers=1, waiting=1, each=1)
    application = FastAPI()
    add_handlers(application)
    application.include_router(routes(Past(), dict, dict, PollPacer(1.0), turns, bytes))  # type: ignore[arg-type]
    doors = ["status", "lab", "rounds", "answers", "frame/1.jpg", "round/1", "batch/1.jpg", "sheet.png", "umap"]

    async def asked() -> list[int]:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answers = await asyncio.gather(*(client.get(f"/live/r{n}/{door}") for n, door in enumerate(doors)))
            return [answer.status_code for answer in answers]

    assert asyncio.run(asked()) == [404] * len(doors)
    assert most == [FINDING]
