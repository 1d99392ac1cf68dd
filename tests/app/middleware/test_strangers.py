"""Whoever is not the owner: what a watch link opens, what nothing opens, and how often one may guess."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.support.miss_limiter import PER_SECOND, TRIES, MissLimiter
from tests.support.strangers import GUESSED, HEAVY, READING, Found, House, is_open, routes, tried

HERE = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[TestClient]:
    with TestClient(house.application, base_url=HERE, client=("127.0.0.1", 1), raise_server_exceptions=False) as client:
        yield client
        house.gate.open.set()


@pytest.fixture(scope="module")
def found(house: House, client: TestClient) -> Found:
    return tried(house, client, [house.running], strangers=2, left_out=HEAVY)


def test_no_stranger_sees_or_changes_anything_through_any_door(found: Found) -> None:
    assert found.leaks == []


def test_every_open_route_was_tried(found: Found, house: House) -> None:
    opened = {path for path, _ in routes(house.application.routes) if is_open(path)}
    assert opened - found.routes == {"/gradio_api/heartbeat/{session_hash}"}


def test_a_watch_link_opens_every_route_that_reads_a_run(found: Found, house: House) -> None:
    reading = {path for path, _ in routes(house.application.routes) if path.startswith(READING)}
    later = ("/batch/", "/round/", "/frame/", "/replay/", "/export/")  # of a run that has done a round, or has ended
    later = (*later, "/try", "/real")  # of a run with networks, which a scripted one does not have
    assert found.read >= {path for path in reading if not any(part in path for part in later)} - set(HEAVY)


def test_the_owner_can_do_what_no_stranger_could(house: House, client: TestClient) -> None:
    """Else all of the above would hold of an application that does nothing."""
    before = house.state()
    told = client.post("/command/pace", json=[house.running.id, house.running.owner, 0.01]).json()
    assert told["told"]["state"] == "running"
    assert house.state() != before


def test_guessing_is_slowed_down_for_the_one_who_guesses(house: House, client: TestClient) -> None:
    def asked(run: str, address: str) -> int:
        return client.get(f"/live/{run}/status", headers={"X-Forwarded-For": address}).status_code

    answers = [asked(f"{number:016}", "8.8.8.8") for number in range(int(TRIES) + 20)]
    assert answers[: int(TRIES)] == [404] * int(TRIES)
    assert answers[-1] == 429
    assert asked(GUESSED, "8.8.4.4") == 404
    assert asked(house.running.id, "8.8.8.8") == 200  # whoever was given an id is not shut out


def test_tries_come_back_with_time_and_the_oldest_address_is_forgotten() -> None:
    now = [0.0]
    guesses = MissLimiter(lambda: now[0])
    for _ in range(int(TRIES)):
        guesses.missed("a")
    assert not guesses.allowed("a")
    assert guesses.allowed("b")
    now[0] += 1.0 / PER_SECOND
    assert guesses.allowed("a")
    guesses.missed("a")
    assert not guesses.allowed("a")
    now[0] += 10 * TRIES
    for _ in range(int(TRIES)):  # no more than a full bucket
        guesses.missed("a")
    assert not guesses.allowed("a")
    for number in range(10_000):
        guesses.missed(f"{number}")
    assert guesses.allowed("a")
