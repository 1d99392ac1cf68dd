"""A finished run's student as ONNX: made in the process that draws, or one sentence where it cannot be made."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import httpx
import numpy as np
import pytest
import torch
from fastapi import FastAPI
from safetensors.torch import load
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from app.api import export_routes
from app.api.export_routes import export_route
from app.environment import Environment
from app.fairness.executors import Executors
from app.runs.exports import ALL, Exports
from app.runs.live_run import LiveRun
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.runs.recordings import Recordings
from nayer.common import extras
from nayer.common.extras import ONNX, ONNX_PACKAGES
from nayer.common.safetensors_header import header
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.exports.gif import animation
from nayer.exports.onnx_file import TOLERANCE, logits_by_onnx
from nayer.networks.classifiers import build
from nayer.networks.specs import ModelSpec
from tests.support.serving import at, created, wait_until

FEW = {"rounds": 2, "warmup_rounds": 1, "generator_steps": 2, "student_steps": 2, "test_images": 50, "device": "cpu"}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(created(environment=Environment(grace_seconds=60.0)), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture(scope="module")
def ended(client: TestClient) -> LiveRun:
    """A real run of the shipped digits that is over."""
    registry: RunManager = client.app.state.registry  # type: ignore[attr-defined]
    live = registry.start(Plan.alone(Config.parse({"teacher": "digits", **FEW})), registry.visitor(""))
    wait_until(lambda: live.ended, seconds=120)
    return live


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ONNX_PACKAGES), reason="make slow installs the extra onnx"
)
@pytest.mark.slow
def test_the_page_gives_a_student_that_onnxruntime_runs(client: TestClient, ended: LiveRun) -> None:
    answer = client.get(f"/live/{ended.id}/export/student.onnx")
    assert answer.status_code == 200, answer.text
    student = client.get(f"/live/{ended.id}/export/student.safetensors").content
    network = build(ModelSpec.model_validate_json(header(student, "student").about["model"]))
    network.load_state_dict({**network.state_dict(), **load(student)})
    images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        wanted = network.eval()(images).numpy()
    assert np.abs(logits_by_onnx(answer.content, images.numpy()) - wanted).max() <= TOLERANCE


def test_where_the_packages_are_missing_one_sentence_says_so(
    client: TestClient, ended: LiveRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    refused = client.get(f"/live/{ended.id}/export/student.onnx")
    assert refused.status_code == 409
    sentence = "student.onnx needs the package onnx, which is not installed; pip install 'nayer[onnx]'."
    assert refused.json()["error"] == sentence


def test_of_large_answers_one_is_made_and_read_at_a_time_and_of_small_ones_one_for_each_address() -> None:
    made, most = [0], {"large": 0, "small": 0}

    class Files:
        def version(self, run: str) -> str:
            return run

        def kept(self, run: str, name: str, version: str) -> None:
            return None

        def is_large(self, run: str) -> bool:
            return run == "large"

        async def of(self, run: str, name: str, version: str) -> bytes:
            made[0] += 1
            most[run] = max(most[run], made[0])
            await asyncio.sleep(0.05)
            made[0] -= 1
            return b"content"

    application = FastAPI()
    application.include_router(export_route(Files()))  # type: ignore[arg-type]

    async def asked(client: httpx.AsyncClient, run: str, lane: str) -> int:
        with at(lane):
            return (await client.get(f"/live/{run}/export/{ALL}")).status_code

    async def all_asked(run: str) -> list[int]:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            lanes = ["a", "a", "b", "b", "c"]
            return await asyncio.gather(*(asyncio.create_task(asked(client, run, lane)) for lane in lanes))

    for run in most:
        assert asyncio.run(all_asked(run)) == [200] * 5
    assert most == {"large": 1, "small": 3}


def test_a_large_answer_that_is_read_too_slowly_ends_and_frees_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_routes, "LONGEST_SENDING", 0.05)

    async def pieces() -> AsyncIterator[memoryview]:
        for _ in range(100):
            yield memoryview(bytes(9))

    async def tried() -> None:
        ended = asyncio.Event()
        turn = AsyncExitStack()
        turn.callback(ended.set)

        async def unread(message: object) -> None:
            await asyncio.Event().wait()

        async def receive() -> dict[str, object]:
            await asyncio.Event().wait()
            return {}

        answer = export_routes._Answer(pieces(), turn, export_routes.LONGEST_SENDING)
        with pytest.raises(ClientDisconnect):
            await answer({"type": "http", "method": "GET", "headers": []}, receive, unread)
        assert ended.is_set()

    asyncio.run(asyncio.wait_for(tried(), 30))


def test_a_shared_page_converts_no_student_that_would_fill_the_memory(
    client: TestClient, ended: LiveRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.runs.exports.onnx_is_missing", lambda: "")
    registry: RunManager = client.app.state.registry  # type: ignore[attr-defined]
    turns = Executors()
    refusing = Exports(registry, Recordings(registry), turns.work, animation, onnx=len, most_converted=99)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="this page converts at most 64 MB; convert it on your own machine"):
        asyncio.run(refusing.of(ended.id, ONNX, "v"))
    taking = Exports(registry, Recordings(registry), turns.work, animation, onnx=lambda student: b"onnx")
    assert asyncio.run(taking.of(ended.id, ONNX, "v")) == b"onnx"
    assert not taking.is_large(ended.id)
