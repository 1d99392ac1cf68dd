"""The public endpoints as `gradio_client` uses them, on a real run of the digits teacher."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.support.serving import serving

QUICK = {"generator_steps": 2, "student_steps": 2, "warmup_rounds": 1, "synthesis_batch": 20, "generator_width": 4}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with serving() as served:
        client = Client(served.url, verbose=False)
        yield client
        client.close()


def follow(client: Client, run: str, until: str) -> list[dict[str, Any]]:
    """Every answer of `status` until the state is `until`."""
    answers: list[dict[str, Any]] = []
    since, limit = 0, time.monotonic() + 60
    while not answers or answers[-1]["state"] != until:
        assert time.monotonic() < limit, answers[-1]
        answers.append(client.predict(run=run, since=since, api_name="/status"))
        assert isinstance(answers[-1]["seq"], int)
        since = answers[-1]["seq"]
        time.sleep(0.1)
    return answers


def test_start_follow_to_the_end(client: Client) -> None:
    begun = client.predict(teacher="digits", seed=3, rounds=3, settings=QUICK, api_name="/start")
    answers = follow(client, begun["run"], "finished")
    facts = next(answer["run"] for answer in answers if "run" in answer)
    assert isinstance(facts, dict)
    assert facts["classes"][:2] == ["zero", "one"]
    assert (facts["config"]["seed"], facts["config"]["generator_steps"], facts["rounds"]) == (3, 2, 3)
    measured = [point for answer in answers for point in answer.get("measures", {"points": []})["points"]]
    assert len(measured) == 4  # the first before the student has learned
    assert all(0 <= accuracy <= 1 for _, accuracy, _, _ in measured)
    assert 0.9 < float(str(answers[-1]["teacher_accuracy"])) <= 1
    rows = [row["round"] for answer in answers for row in answer.get("rows", [])]
    assert rows == [0, 1, 2]


def test_pause_step_resume_stop(client: Client) -> None:
    begun = client.predict(teacher="digits", rounds=100_000, settings=QUICK, api_name="/start")
    mine = {"run": begun["run"], "token": begun["token"]}
    client.predict(**mine, api_name="/pause")
    held = follow(client, begun["run"], "paused")[-1]["seq"]
    assert client.predict(run=begun["run"], since=held, api_name="/status") == {"seq": held, "state": "paused"}
    client.predict(**mine, kind="round", api_name="/step")
    stepped = follow(client, begun["run"], "paused")[-1]
    client.predict(**mine, kind="round", api_name="/step")
    again = follow(client, begun["run"], "paused")[-1]
    assert int(str(again["rounds_done"])) == int(str(stepped["rounds_done"])) + 1
    client.predict(**mine, seconds=0.01, api_name="/pace")
    client.predict(**mine, api_name="/resume")
    follow(client, begun["run"], "running")
    client.predict(**mine, api_name="/stop")
    assert follow(client, begun["run"], "stopped")[-1]["reason"] == "stopped"


def test_a_mistake_is_one_sentence(client: Client) -> None:
    with pytest.raises(AppError, match=r"^rounds must be a whole number from 1 to 100,000; -1 was given"):
        client.predict(teacher="digits", rounds=-1, api_name="/start")
    begun = client.predict(teacher="digits", rounds=1, settings=QUICK, api_name="/start")
    with pytest.raises(AppError, match="belongs to someone else"):
        client.predict(run=begun["run"], token="guess", api_name="/stop")


def test_a_run_that_cannot_begin_fails_in_one_sentence_and_the_page_goes_on(client: Client) -> None:
    begun = client.predict(teacher="digits", settings={"encoder": "./nowhere"}, api_name="/start")
    error = str(follow(client, begun["run"], "failed")[-1]["error"])
    assert "./nowhere" in error
    assert "Traceback" not in error
    begun = client.predict(teacher="digits", rounds=1, settings=QUICK, api_name="/start")
    follow(client, begun["run"], "finished")
