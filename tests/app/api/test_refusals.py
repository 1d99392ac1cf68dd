"""What callers send to classes, estimates, images, recordings and their own runs: each gets one sentence."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from app.environment import Environment
from app.runs.my_runs import LONGEST_NAME, LONGEST_NOTES
from nayer.common.paths import ASSETS
from tests.support.scripted import Scripted, script
from tests.support.serving import created, wait_until

LARGEST = 2**53
NUMBERS = [-1, LARGEST, LARGEST + 1, "1e3", "0x1", "٣", "", "1 ", "9" * 300]
PLACES = ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/server.py", "%5c..%5cx", "%00", "x" * 250, "💥"]
# One of each kind; reliability rows 3 and 22 send many more.
WORDS = ["", "x" * 301, "<img src=x onerror=alert(1)>", "e\u0301", "\u200b", None, 1.5, {}, [["x"]]]
LONGEST_SENTENCE = 700  # characters


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    environment = Environment(recording=ASSETS / "recordings/emoji10.nayer", on_space=True, hosts=("127.0.0.1",))
    # A lab is planned for 100,000 rounds; these end at once, and take no time from what is asked meanwhile.
    opener = lambda plan: Scripted(lambda: script(plan.configs[0].model_copy(update={"rounds": 2})))  # noqa: E731
    application = created(opener, environment)
    with TestClient(application, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def mine(client: TestClient) -> list[str]:
    """A run that ended, and its token."""
    few = {"generator_steps": 2, "student_steps": 2, "warmup_rounds": 1}
    told = client.post("/gradio_api/run/start", json={"data": ["digits", "nayer", 0, "lte", 2, few, ""]}).json()
    begun = told["data"][0]
    wait_until(lambda: client.get(f"/live/{begun['run']}/status").json()["state"] == "finished")
    return [begun["run"], begun["token"]]


def reads(run: str) -> Iterator[str]:
    for number in NUMBERS:
        escaped = quote(str(number))
        yield f"/live/recording/real?label={escaped}"
        yield f"/live/recording/real?pick={escaped}"
        yield f"/teacher/digits/real.jpg?pick={escaped}"
        yield f"/live/recording/tested.jpg?places={escaped}"
        yield f"/live/recording/tested.jpg?places=0,{escaped}"
        yield f"/live/recording/replay/frame/{escaped}.jpg"
        yield f"/live/{run}/answers?since={escaped}"
        yield f"/live/{run}/lab?since={escaped},{escaped}"
        yield f"/live/{run}/arm/{escaped}/status"
    yield f"/live/recording/tested.jpg?places={','.join(['599'] * 61)}"
    yield f"/live/recording/tested.jpg?places={','.join(['9' * 15] * 400)}"
    for place in PLACES:
        for room in ("join", "examples", "code", "stage/x", "teacher", f"live/{run}/export", f"live/{run}/replay"):
            yield f"/{room}/{place}"
            yield f"/{room}/{place}.json"
        yield f"/teacher/{place}/real.jpg"
        yield f"/teacher/{place}/real"
        yield f"/live/{place}/replay/timeline"
        yield f"/live/{place}/replay/networks"
        yield f"/?tab={place}&run={place}&lab={place}&lesson={place}&compare={place}&join={place}&plan={place}"


def bodies(run: str, token: str) -> Iterator[tuple[str, object]]:
    for word in WORDS:
        yield "/duration", {"preset": word}
        yield "/duration", {"preset": "nayer", "settings": word}
        yield "/duration", {"preset": "nayer", "token": word}
        for name in ("teacher", "student", "names", "prompt", "student_batch", "rounds", "test_data", "device", "x"):
            yield "/duration", {"preset": "nayer", "settings": {name: word}}
        yield f"/live/{run}/try", {"pixels": word}
        yield f"/live/{run}/try", {"pixels": [word] * 64}
        yield f"/teacher/{quote(str(word) or 'x', safe='')}/try", {"pixels": [0] * 64}
        yield "/command/runs", [word]
        yield "/command/end_class", [run, word]
        for given in ([word, token, "lab", "http://x/"], [run, token, word, "http://x/"], [run, token, "lab", word]):
            yield "/command/class_code", given
        for given in ([word, token, "a", "b"], [run, word, "a", "b"], [run, token, word, "b"], [run, token, "a", word]):
            yield "/command/describe", given
        yield "/command/delete", [word, token]
        yield "/command/delete", ["recording", word]
        for name in ("title", "preset", "settings", "x"):
            yield "/command/start_lab", ["", "digits", 0, 1.0, 1, [{name: word}] * 2, ""]
    yield "/command/describe", [run, token, "a" * (LONGEST_NAME + 1), ""]
    yield "/command/describe", [run, token, "a\u2028b", ""]
    yield "/command/describe", [run, token, "", "b" * (LONGEST_NOTES + 1)]
    yield "/command/class_code", [run, token, "lab", f"http://{'💥' * 290}"]
    yield "/command/class_code", [run, token, "lesson-10", "http://x/"]
    yield "/command/start_lab", ["", "digits", LARGEST, 1e308, LARGEST, [{}] * 20, ""]


def test_whatever_is_sent_gets_one_sentence_and_leaves_no_fault(
    client: TestClient, mine: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    run, token = mine
    answers = [(path, client.get(path)) for path in reads(run)]
    for number, (path, body) in enumerate(bodies(run, token)):
        if number % 100 == 99:  # so many misses in a row would be guesses, and 429 says nothing about the rest
            client.app.state.registry._registry._guesses._buckets.clear()  # type: ignore[attr-defined]
        answers.append((f"{path} {json.dumps(body)[:80]}", client.post(path, json=body)))
    for said, answer in answers:
        assert answer.status_code < 500, said
        assert "content-security-policy" in answer.headers, said
        if "json" in answer.headers.get("content-type", "") and isinstance(told := answer.json(), dict):
            assert len(str(told.get("error", ""))) <= LONGEST_SENTENCE, said
            assert "Traceback" not in answer.text, said
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert client.get("/live/recording/status").json()["state"] == "finished"
    [told] = client.post("/command/runs", json=[token]).json()["told"]
    assert told["run"] == run  # nothing was deleted with what is no run of theirs


@pytest.mark.parametrize(
    "ranges", ["bytes=" + ",".join(["0-1"] * 5000), "bytes=5-4", "bytes=-", "x", "bytes=" + "9" * 5000]
)
def test_an_example_is_whole_whatever_range_is_asked_for(client: TestClient, ranges: str) -> None:
    answer = client.get("/examples/lab.json", headers={"Range": ranges})
    assert answer.status_code == 200
    assert answer.content == (ASSETS / "examples" / "lab.json").read_bytes()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"preset": "nayer", "values": {}}, "values is not used here; leave it out."),
        (["nayer"], "body must be an object of names and values; ['nayer'] was given."),
        ({}, "preset is missing; give a value."),
    ],
)
def test_a_body_of_another_form_is_told_what_is_wrong_with_it(client: TestClient, body: object, sentence: str) -> None:
    answer = client.post("/duration", json=body)
    assert (answer.status_code, answer.json()) == (422, {"error": sentence})
