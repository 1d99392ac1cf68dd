"""Through the routes of the page: the same seed, work and thread give the same events, also after a pause."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.content.lessons import LESSONS, plan_of
from app.environment import Environment
from nayer.events import Event, LayerRedrawn, RunFinished
from nayer.exports.recording import read
from tests.support.serving import created, wait_until
from tests.support.tiny import all_same

QUICK = {"generator_width": 4, "noisy_width": 32, "generator_steps": 3, "student_steps": 3, "warmup_rounds": 1}
QUICK |= {"synthesis_batch": 20, "test_images": 50, "rounds": 100_000}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(created(environment=Environment(grace_seconds=60.0)), base_url="http://127.0.0.1") as client:
        yield client


def command(client: TestClient, name: str, *data: object) -> dict[str, Any]:
    answer = client.post(f"/gradio_api/run/{name}", json={"data": data}).json()
    assert "data" in answer, answer
    made: dict[str, Any] = answer["data"][0]
    return made


def ended(client: TestClient, run: str) -> list[Event]:
    """The events of a run that has come to its end, as its recording keeps them; which steps it keeps is chance."""
    wait_until(lambda: client.get(f"/live/{run}/status").json()["state"] == "finished", what="the end")
    content = client.get(f"/live/{run}/export/run.nayer").content
    return [event for event in read(content) if not event.droppable]


def played(client: TestClient, *, pause: bool = False) -> list[Event]:
    begun = command(client, "start", "digits", "nayer", 5, "lte", 0, {**QUICK, "work": 0.2}, "")
    run, token = begun["run"], begun["token"]
    if pause:
        command(client, "pause", run, token)
        wait_until(lambda: client.get(f"/live/{run}/status").json()["state"] == "paused", what="the pause")
        command(client, "resume", run, token)
    return ended(client, run)


def test_a_run_of_the_page_repeats_and_a_pause_changes_nothing(client: TestClient) -> None:
    first = played(client)
    assert [event.reason for event in first if isinstance(event, RunFinished)] == ["work is done"]
    assert sum(isinstance(event, LayerRedrawn) for event in first) > 2
    assert all_same(first, played(client))
    assert all_same(first, played(client, pause=True))


def lab(client: TestClient, arms: list[dict[str, Any]], teacher: str) -> list[dict[str, str]]:
    """What the lab's file tells of each arm and round, without the seconds."""
    run = command(client, "start_lab", "", teacher, 2, 1.0, 1, arms, "")["run"]
    wait_until(lambda: client.get(f"/live/{run}/lab").json()["state"] == "finished", what="the end")
    table = client.get(f"/live/{run}/export/lab.csv").text
    return [{**row, "seconds": ""} for row in csv.DictReader(io.StringIO(table))]


def arms_in(rows: list[dict[str, str]]) -> set[str]:
    return {row["title"] for row in rows}


@pytest.mark.slow
def test_a_lab_of_the_page_repeats(client: TestClient) -> None:
    arms = [{"title": title, "preset": title, "settings": QUICK} for title in ("nayer", "untrained")]
    first = lab(client, arms, "digits")
    assert arms_in(first) == {"nayer", "untrained"}
    assert len({row["accuracy"] for row in first}) > 2
    assert first == lab(client, arms, "digits")


@pytest.mark.slow
def test_a_lesson_repeats(client: TestClient) -> None:
    """Its arms as the page starts them, with smaller sizes."""
    lesson = next(one for one in LESSONS if one.arms)
    arms = [{**arm, "settings": {**arm["settings"], **QUICK}} for arm in plan_of(lesson, 0)["arms"]]
    first = lab(client, arms, "digits")
    assert len(arms_in(first)) == len(arms)
    assert first == lab(client, arms, "digits")
