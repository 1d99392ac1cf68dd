"""A recording is told by the fold and the payload of live runs, each piece of news at its second."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from app.api import export_routes
from app.environment import RECORDING, Environment
from app.fairness.executors import Executors
from app.fairness.request_slots import FINDING, PIECE, AnswerSender
from app.run_state.replay import Replay
from app.runs import exports as run_exports
from app.runs.exports import Exports
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.runs.recordings import SHIPPED, Recordings
from app.support import miss_limiter
from app.support.miss_limiter import TRIES
from nayer.errors import StorageError
from nayer.events import Evaluated, Event, GeneratorStep, RoundSynthesized, RunStarted
from nayer.exports import recording, run_archive
from nayer.exports.gif import animation
from tests.support.scripted import SHORT, Scripted, script
from tests.support.serving import at, created, wait_until


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    application = created(lambda plan: Scripted(lambda: script(SHORT)), Environment(recording=RECORDING))
    with TestClient(application, base_url="http://127.0.0.1") as client:
        yield client


def measured(told: dict[str, Any]) -> list[Any]:
    return [point for _, news in told["moments"] for point in news.get("measures", {}).get("points", [])]


def test_the_timeline_is_in_order_and_ends_with_the_last_measurement() -> None:
    events = list(script(SHORT))
    told = json.loads(Replay(events).timeline)
    times = [second for second, _ in told["moments"]]
    assert times == sorted(times)
    assert told["duration"] == times[-1] == max(event.seconds for event in events)
    assert len(measured(told)) == sum(isinstance(event, Evaluated) for event in events)


def test_every_frame_of_the_timeline_is_a_picture_and_no_other() -> None:
    events = list(script(SHORT))
    replay = Replay(events)
    rows = [row for _, news in json.loads(replay.timeline)["moments"] for row in news.get("rows", [])]
    assert len(rows) == sum(isinstance(event, RoundSynthesized) for event in events)
    for row in rows:
        picture = replay.frame(row["frame"])
        assert picture is not None
        assert Image.open(io.BytesIO(picture)).format == "JPEG"
    assert replay.frame(10_000_000) is None


def test_events_without_a_run_are_refused() -> None:
    with pytest.raises(StorageError, match="no run that can be shown"):
        Replay([event for event in script(SHORT) if not isinstance(event, RunStarted)])


HOSTILE: list[tuple[type[Event], str, Callable[[Any], object]]] = [
    (RoundSynthesized, "teacher_confidence", lambda array: np.full(array.shape, np.inf, np.float32)),
    (RoundSynthesized, "images", lambda array: np.full(array.shape, np.inf, np.float32)),
    (RoundSynthesized, "images", lambda array: np.resize(array, (len(array), 2, 8, 8))),
    (RoundSynthesized, "images", lambda array: array[:, :, :0]),
    (RoundSynthesized, "images", lambda array: np.resize(array, (len(array), 1, 1, 66_000))),
    (RoundSynthesized, "images", np.ravel),
    (RoundSynthesized, "arm", lambda _: [1]),
    (GeneratorStep, "preview", lambda array: array.astype(np.float64)),
    (GeneratorStep, "arm", lambda _: {}),
]


@pytest.mark.parametrize(("kind", "field", "lie"), HOSTILE)
def test_a_file_whose_arrays_lie_is_refused_or_shown_and_fails_nowhere(
    kind: type[Event], field: str, lie: Callable[[Any], object], tmp_path: Path
) -> None:
    events: list[Event] = list(script(SHORT))
    place = next(place for place, event in enumerate(events) if isinstance(event, kind))
    events[place] = dataclasses.replace(events[place], **{field: lie(getattr(events[place], field))})
    file = tmp_path / "run.nayer"
    file.write_bytes(recording.written(events))
    registry = RunManager(lambda _: Scripted(lambda: script(SHORT)))
    try:
        kept = Recordings(registry, file)
        replay = kept.of(SHIPPED)
    except StorageError:
        pass
    else:
        frames = [row["frame"] for _, news in json.loads(replay.timeline)["moments"] for row in news.get("rows", [])]
        assert all(replay.frame(frame) for frame in frames)
    finally:
        registry.close()


def test_the_shipped_recording_is_served_to_anybody_and_small(client: TestClient) -> None:
    assert RECORDING.stat().st_size < 3_000_000
    timeline = client.get(f"/live/{SHIPPED}/replay/timeline").json()
    row = next(row for _, news in timeline["moments"] for row in news.get("rows", []))
    picture = client.get(f"/live/{SHIPPED}/replay/frame/{row['frame']}.jpg")
    assert picture.headers["content-type"] == "image/jpeg"
    assert client.get(f"/live/{SHIPPED}/status").json()["state"] == "finished"
    assert client.get(f"/live/{SHIPPED}/sheet.png").content.startswith(b"\x89PNG")
    assert client.get(f"/live/{SHIPPED}/replay/frame/999999.jpg").status_code == 404
    answer = client.post("/command/stop", json=[SHIPPED, ""], headers={"Origin": "http://127.0.0.1"})
    assert "belongs to someone else" in answer.json()["error"]


def test_a_recording_tells_its_networks_once_somebody_asks(client: TestClient, tmp_path: Path) -> None:
    told = client.get(f"/live/{SHIPPED}/replay/networks").json()
    assert [learned for learned, *_ in told["students"]] == list(range(31))
    assert told["classes"] == json.loads(Replay(recording.load(RECORDING)).timeline)["moments"][0][1]["run"]["classes"]
    assert told["teacher"]["image"] == told["student"]["image"] == [3, 32]
    file = tmp_path / "earlier.nayer"
    file.write_bytes(recording.written(script(SHORT)))
    with TestClient(created(environment=Environment(recording=file)), base_url="http://127.0.0.1") as earlier:
        assert earlier.get(f"/live/{SHIPPED}/replay/networks").status_code == 204
    assert client.get("/live/nobody/replay/networks").status_code == 404


def test_a_run_that_has_ended_is_played_back_and_saved(client: TestClient, tmp_path: Path) -> None:
    registry: RunManager = client.app.state.registry  # type: ignore[attr-defined]
    live = registry.start(Plan.alone(SHORT), registry.visitor(""))
    wait_until(lambda: live.ended)
    run = live.id
    told = client.get(f"/live/{run}/replay/timeline").json()
    assert len(measured(told)) == SHORT.rounds
    file = tmp_path / "run.nayer"
    file.write_bytes(client.get(f"/live/{run}/export/run.nayer").content)
    assert isinstance(recording.load(file)[0], RunStarted)
    assert created(environment=Environment(recording=file)).state.registry.find(SHIPPED).ended


def test_an_unknown_run_and_one_that_goes_on_are_said(client: TestClient) -> None:
    assert client.get("/live/nobody/replay/timeline").status_code == 404
    assert "does not exist" in client.get("/live/nobody/export/run.nayer").json()["error"]


def test_a_runs_files_are_made_once_for_all_who_take_them_and_not_sent_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, files = [], run_archive.files

    def counting(events: list[Event], student: bytes, animate: Callable[[list[Event]], bytes]) -> dict[str, bytes]:
        made.append(len(events))
        return files(events, student, animate)

    monkeypatch.setattr(run_archive, "files", counting)
    registry: RunManager = client.app.state.registry  # type: ignore[attr-defined]
    live = registry.start(Plan.alone(SHORT), registry.visitor(""))
    wait_until(lambda: live.ended)
    address = f"/live/{live.id}/export/nayer-run.zip"
    with ThreadPoolExecutor(8) as viewers:
        answers = list(viewers.map(lambda _: client.get(address), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == len(made) == 1
    with zipfile.ZipFile(io.BytesIO(answers[0].content)) as archive:
        assert "nayer-run/run.nayer" in archive.namelist()
    tag = answers[0].headers["etag"]
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200
    unknown = client.get(f"/live/{live.id}/export/secret.txt")
    assert unknown.status_code == 409
    assert "is not a file of this run" in unknown.json()["error"]
    assert len(made) == 1


def test_the_files_of_a_run_that_went_on_are_made_anew() -> None:
    registry = RunManager(lambda plan: Scripted(lambda: script(plan.configs[0])))
    exports = Exports(registry, Recordings(registry), Executors().work, animation)
    versions = set()
    for rounds in (2, 3):
        run = registry.start(Plan.alone(SHORT.model_copy(update={"rounds": rounds})), registry.visitor(""))
        wait_until(lambda run=run: run.ended)
        run.id = "the same"
        registry.pin(run)
        versions.add(exports.version("the same"))
        assert exports.version("the same") in versions
    assert len(versions) == 2
    registry.close()


def test_large_answers_to_one_address_wait_for_each_other_and_not_for_anybody_else() -> None:
    async def tried() -> None:
        sending, content = AnswerSender(each=2), bytes(3 * PIECE)
        with at("hog"):
            slow = [sending.pieces(content) for _ in range(2)]
            for one in slow:
                await anext(one)
            third = asyncio.ensure_future(anext(sending.pieces(content)))
            await asyncio.sleep(0)
        with at("other"):
            assert sum([len(piece) async for piece in sending.pieces(content)]) == len(content)
        assert not third.done()
        await slow[0].aclose()
        assert len(await third) == PIECE

    asyncio.run(tried())


def test_whoever_plays_runs_that_are_not_ready_keeps_nobody_waiting_who_plays_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = RunManager(lambda _: Scripted(lambda: script(SHORT)), capacity=2)
    recordings = Recordings(registry)
    slow, other = (registry.start(Plan.alone(SHORT), registry.visitor("")) for _ in range(2))
    for run in (slow, other):
        wait_until(lambda run=run: run.ended)
    begun, free = threading.Event(), threading.Event()
    fold = recordings.events

    def held(run_id: str) -> list[Event]:
        if run_id == slow.id:
            begun.set()
            assert free.wait(30)
        return fold(run_id)

    monkeypatch.setattr(recordings, "events", held)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(recordings.of, slow.id)
        assert begun.wait(30)
        assert threads.submit(recordings.of, other.id).result(30).timeline
        free.set()
        assert first.result(30).timeline
    registry.close()


def test_runs_are_folded_in_turns_and_whoever_guesses_their_names_is_slowed_down(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry: RunManager = client.app.state.registry  # type: ignore[attr-defined]
    run = registry.start(Plan.alone(SHORT), registry.visitor(""))
    wait_until(lambda: run.ended)
    folding: list[str] = []
    monkeypatch.setattr(Replay, "__init__", _noting(Replay.__init__, folding))
    for _ in range(3):
        assert client.get(f"/live/{run.id}/replay/timeline").status_code == 200
    assert folding == ["requests"]  # the pool of long work, and once
    monkeypatch.setattr(miss_limiter, "PER_SECOND", 0.0)  # a slow machine takes as long as the tries need to come back
    statuses = [client.get(f"/live/nobody{n}/replay/timeline").status_code for n in range(int(TRIES) + 5)]
    assert statuses[0] == 404
    assert statuses[-1] == 429
    registry._registry._guesses._buckets.clear()


def _noting(init: Callable[..., None], threads: list[str]) -> Callable[..., None]:
    def noted(self: Replay, events: Any) -> None:
        threads.append(threading.current_thread().name)
        init(self, events)

    return noted


def test_an_address_has_one_answer_in_memory_that_no_cache_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_routes, "KEPT_BYTES", 0)  # so that these few kB are one
    monkeypatch.setattr(run_exports, "KEPT_BYTES", 0)
    registry = RunManager(lambda _: Scripted(lambda: script(SHORT)))
    run = registry.start(Plan.alone(SHORT), registry.visitor(""))
    wait_until(lambda: run.ended)
    exports = Exports(registry, Recordings(registry), Executors().work, lambda events: b"gif")
    made: list[str] = []
    of = exports.of

    async def noted(run_id: str, name: str, version: str) -> bytes:
        made.append(name)
        return await of(run_id, name, version)

    finding, most, lock = [0], [0], threading.Lock()
    version = exports.version

    def looked_up(run_id: str) -> str:
        with lock:
            finding[0] += 1
            most[0] = max(most[0], finding[0])
        found = version(run_id)
        time.sleep(0.05)
        with lock:
            finding[0] -= 1
        return found

    monkeypatch.setattr(exports, "of", noted)
    monkeypatch.setattr(exports, "version", looked_up)
    application = FastAPI()
    application.include_router(export_routes.export_route(exports))

    async def tried() -> None:
        read, arrived = asyncio.Event(), asyncio.Event()

        async def ask(lane: str) -> bytes:
            content = b""

            async def receive() -> dict[str, Any]:
                await asyncio.sleep(60)
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                nonlocal content
                content += message.get("body", b"")
                arrived.set()
                await read.wait()

            path = f"/live/{run.id}/export/nayer-run.zip"
            scope = {
                "type": "http",
                "method": "GET",
                "path": path,
                "query_string": b"",
                "headers": [],
                "scheme": "http",
            }
            with at(lane):
                await application({**scope, "raw_path": path.encode()}, receive, send)
            return content

        asked = [asyncio.ensure_future(ask("hog")) for _ in range(5)]
        await arrived.wait()
        arrived.clear()
        other = asyncio.ensure_future(ask("other"))
        await arrived.wait()
        assert len(made) == 2  # one of each address
        read.set()
        assert all(content.startswith(b"PK") for content in await asyncio.gather(*asked, other))
        assert len(made) == 6
        assert most[0] <= 2 * FINDING  # of both

    asyncio.run(tried())
    registry.close()
