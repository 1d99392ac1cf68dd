"""A finished run's student as ONNX: made in the process that draws, or one sentence where it cannot be made."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from safetensors.torch import load
from starlette.testclient import TestClient

from app.environment import Environment
from app.runs.live_run import LiveRun
from app.runs.manager import RunManager
from app.runs.plan import Plan
from nayer.common import extras
from nayer.common.extras import ONNX_PACKAGES
from nayer.common.safetensors_header import header
from nayer.config import Config
from nayer.exports.onnx_file import TOLERANCE, logits_by_onnx
from nayer.networks.classifiers import build
from nayer.networks.specs import ModelSpec
from tests.support.serving import created, wait_until

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
