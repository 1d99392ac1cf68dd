"""A burst by the page's own command, with the package of a ZeroGPU Space. Here the package lends no GPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from gradio.context import LocalContext

from app.runs import zero_gpu
from app.runs.live_run import LiveRun
from app.runs.plan import Plan
from app.runs.zero_gpu import GpuLoan, zero_gpu_loan
from nayer.config import Config
from nayer.events import Event, Note
from nayer.teachers.upload import UploadedTeacher
from tests.support.serving import created, wait_until

SHORT = Config(teacher="digits", rounds=6, warmup_rounds=1, generator_steps=2, student_steps=2, synthesis_batch=20)
ON_ZERO = {"SPACES_ZERO_GPU": "true"}


def served(gpu_loan: GpuLoan | None = None) -> TestClient:
    return TestClient(created(gpu_loan=gpu_loan), base_url="http://127.0.0.1")


def begun(client: TestClient) -> tuple[LiveRun, Any]:
    registry = client.app.state.registry  # type: ignore[attr-defined]
    owner = registry.visitor("")
    return registry.start(Plan.alone(SHORT), owner, paused=True), owner


def notes(run: LiveRun) -> list[str]:
    return [event.message for event in run.session.snapshot() if isinstance(event, Note)]


def test_elsewhere_there_is_none() -> None:
    assert zero_gpu_loan({}) is None
    with served() as client:
        run, token = begun(client)
        told = client.post("/command/burst", json=[run.id, token]).json()
        assert told == {"error": "This page has no GPU to lend; the run continues here."}
        assert "/burst" not in client.get("/gradio_api/info").text


def test_the_spaces_package_takes_what_we_hand_it_and_the_run_comes_back() -> None:
    gpu_loan = zero_gpu_loan(ON_ZERO)
    assert gpu_loan is not None
    with served(gpu_loan) as client:
        assert "/burst" in client.get("/gradio_api/info").text
        run, token = begun(client)
        assert "belongs to someone else" in client.post("/command/burst", json=[run.id, "x"]).json()["error"]
        client.post("/command/step", json=[run.id, token, "round"])
        wait_until(lambda: run.session.state == "paused")
        assert client.post("/command/burst", json=[run.id, token]).json()["told"]["run"] == run.id
        client.post("/command/resume", json=[run.id, token])
        wait_until(lambda: run.ended)
        assert run.session.state == "finished"
        assert "The GPU computed 5 of the rounds. The next rounds run here." in notes(run)
        assert "has ended" in client.post("/command/burst", json=[run.id, token]).json()["error"]


def test_the_gpu_is_lent_to_the_visitor_who_asks() -> None:
    """Their request says whose quota it is; the run asks for the GPU much later, in a thread of its own."""
    asked = []

    def gpu_loan(checkpoint: bytes, uploaded: UploadedTeacher | None) -> Iterator[tuple[list[Event], bytes]]:
        for made in zero_gpu.rounds(checkpoint, uploaded):
            request = LocalContext.request.get(None)
            asked.append(request.headers["x-ip-token"] if request is not None else None)
            yield made

    with served(gpu_loan) as client:
        run, token = begun(client)
        client.post("/command/burst", json=[run.id, token], headers={"x-ip-token": "theirs"})
        client.post("/command/resume", json=[run.id, token])
        wait_until(lambda: run.ended)
    assert asked == ["theirs"] * 5


@pytest.mark.parametrize(("variables", "kept"), [({}, True), (ON_ZERO, False)])
def test_where_a_gpu_is_lent_a_run_itself_stays_on_the_processor(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], kept: bool
) -> None:
    from nayer.networks.execution import device

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)  # as `spaces` has it say
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (device("auto").type == "cuda") is kept
