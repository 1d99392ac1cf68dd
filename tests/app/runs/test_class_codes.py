"""Join codes: they name what the teacher shows, to everybody who has them, until a little after the end of the run."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from app.environment import Environment
from app.runs.class_codes import ALPHABET, CODES, GRACE_SECONDS, LENGTH, LONGEST_SECONDS, ClassCodes, NoSuchCode
from app.runs.history import RunHistory
from app.runs.live_run import hashed
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.runs.registry import NoSuchRun, TooManyGuesses
from app.runs.visitors import NotYours
from app.storage.run_store import Store
from app.support.miss_limiter import TRIES
from nayer.errors import ConfigError
from tests.support.clocks import Clock
from tests.support.scripted import SHORT, Scripted, script
from tests.support.serving import at, created, wait_until

LONG = SHORT.model_copy(update={"rounds": 5000})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry():
    registry = RunManager(lambda plan: Scripted(lambda: script(plan.configs[0])), capacity=8)
    yield registry
    registry.close()


def begun(registry: RunManager, config=LONG, token: str = "") -> tuple[str, str]:
    owner = registry.visitor(token)
    run = registry.start(Plan.alone(config), owner)
    return run.id, owner


def test_a_code_is_short_plain_and_the_same_for_everything_its_teacher_shows(registry, clock) -> None:
    codes = ClassCodes(registry, clock)
    run, token = begun(registry)
    code = codes.show(run, token, "lab")
    assert re.fullmatch(f"[{ALPHABET}]{{{LENGTH}}}", code)
    assert not set(ALPHABET) & set("IL0O1")
    for typed in (code, code.lower(), f" {code[:3]}-{code[3:]} "):
        assert (codes.find(typed).run, codes.find(typed).place) == (run, "lab")
    again, _ = begun(registry, LONG.model_copy(update={"seed": 5}), token)
    assert codes.show(again, token, "lesson-4") == code
    assert (codes.find(code).run, codes.find(code).place) == (again, "lesson-4")
    other, stranger = begun(registry)
    assert codes.show(other, stranger, "live") != code


def test_only_the_owner_shows_a_run_and_only_where_it_can_be_shown(registry, clock) -> None:
    codes = ClassCodes(registry, clock)
    run, token = begun(registry)
    _, stranger = begun(registry)
    with pytest.raises(NotYours):
        codes.show(run, stranger, "lab")
    with pytest.raises(ConfigError, match=r"place must be live, lab or lesson-1 to lesson-9; '\.\./x' was given"):
        codes.show(run, token, "../x")
    code = codes.show(run, token, "lab")
    with pytest.raises(NotYours):
        codes.end(run, stranger)
    codes.end(run, token)
    with pytest.raises(NoSuchCode):
        codes.find(code)


def test_a_code_ends_a_while_after_its_run(registry, clock) -> None:
    codes = ClassCodes(registry, clock)
    run, token = begun(registry)
    code = codes.show(run, token, "lab")
    clock.now += GRACE_SECONDS * 2
    assert codes.find(code).run == run  # it still runs
    registry.stop(run, token)
    wait_until(lambda: registry.find(run).ended, what="the end of the run")
    assert codes.find(code).run == run  # late pupils see the result
    clock.now += GRACE_SECONDS + 1
    with pytest.raises(NoSuchCode, match=f"code='{code}' belongs to no class now; ask for the code again."):
        codes.find(code)


def test_a_code_that_nobody_renews_is_forgotten(registry, clock) -> None:
    codes = ClassCodes(registry, clock)
    run, token = begun(registry)
    code = codes.show(run, token, "lab")
    clock.now += LONGEST_SECONDS + 1
    with pytest.raises(NoSuchCode):
        codes.find(code)


def test_an_address_that_tries_codes_is_slowed_down_and_can_hardly_find_one(registry, clock, monkeypatch) -> None:
    monkeypatch.setattr("app.runs.class_codes.address", lambda: "a")
    codes = ClassCodes(registry, clock)
    for number in range(int(TRIES)):
        with pytest.raises(NoSuchCode):
            codes.find(f"WRONG{number}")
    with pytest.raises(TooManyGuesses):
        codes.find("WRONGA")
    in_an_hour = TRIES + 2 * 3600
    assert in_an_hour * 500 / len(ALPHABET) ** LENGTH < 0.005  # with as many classes as there may be


def test_a_class_joins_by_a_request_and_gets_no_control() -> None:
    with TestClient(created(environment=Environment()), base_url="http://127.0.0.1") as client:
        quick = {"generator_steps": 2, "student_steps": 2, "noisy_width": 64, "warmup_rounds": 1}
        arms = [{"title": "a", "settings": quick}, {"title": "b", "settings": {**quick, "routing": "single"}}]
        begun = client.post("/command/start_lab", json=["", "digits", 0, 50.0, 1, arms, ""]).json()["told"]
        run, token = begun["run"], begun["token"]
        shown = client.post("/command/class_code", json=[run, token, "lesson-4", "http://127.0.0.1/"]).json()["told"]
        assert shown["qr"].startswith("data:image/svg+xml")
        told = client.get(f"/join/{shown['code']}")
        assert told.json() == {"run": run, "place": "lesson-4"}
        assert token not in told.text
        assert "belongs to someone else" in client.post("/command/stop", json=[run, shown["code"]]).json()["error"]
        wrong = client.get("/join/AAAAAA")
        assert wrong.json() == {"error": "code='AAAAAA' belongs to no class now; ask for the code again."}
        refused = client.post("/command/class_code", json=[run, token, "lab", "javascript:alert(1)"]).json()
        assert "address must be" in refused["error"]
        client.post("/command/stop", json=[run, token])


def test_whoever_makes_thousands_of_codes_ends_no_class(registry, clock) -> None:
    codes = ClassCodes(registry, clock)
    run, token = begun(registry)
    with at("10.0.0.1"):
        code = codes.show(run, token, "lab")
    with at("10.0.0.2"):
        theirs, owner = begun(registry, LONG.model_copy(update={"seed": 1}))
        made = []
        for number in range(CODES + 20):
            registry.find(theirs).owner_hash = hashed(f"{owner} {number}")  # as one run of each of so many visitors
            made.append(codes.show(theirs, f"{owner} {number}", "live"))
    with at("10.0.0.3"):
        assert codes.find(code).run == run
        assert codes.find(made[-1]).run == theirs
        with pytest.raises(NoSuchCode):
            codes.find(made[0])


def guessed(find, wrong) -> None:
    """So many wrong ones that the address has no try left."""
    for number in range(int(TRIES) + 1):
        with pytest.raises(NoSuchRun):
            find(f"{wrong}{number}")


def test_wrong_codes_of_a_pupil_keep_nobody_from_the_code_of_their_own_class(registry, clock) -> None:
    codes = ClassCodes(registry, clock)
    run, token = begun(registry)
    with at("school"):
        code = codes.show(run, token, "lab")
        guessed(codes.find, "WRONG")
        with pytest.raises(TooManyGuesses):
            codes.find("WRONGX")
        assert codes.find(code).run == run
        again, _ = begun(registry, LONG.model_copy(update={"seed": 5}), token)
        assert codes.show(again, token, "lab") == code
    with at("at home"):
        guessed(codes.find, "WRONG")
        with pytest.raises(TooManyGuesses):
            codes.find(code)  # there a guess may find the code of anybody's class
        clock.now += 60.0
        assert codes.find(code).run == again
        guessed(codes.find, "WRONG")
        assert codes.find(code).run == again
    with at("school"):
        assert codes.find(code).run == again


def test_an_address_without_tries_ends_no_class_and_loses_no_run_of_the_past(registry, clock, tmp_path) -> None:
    registry = RunManager(
        lambda plan: Scripted(lambda: script(plan.configs[0])), history=RunHistory(Store(tmp_path)), clock=clock
    )
    codes = ClassCodes(registry, clock)
    run, token = begun(registry, SHORT)
    code = codes.show(run, token, "lab")
    wait_until(lambda: registry.find(run).ended, what="the end of the run")
    registry.history.flush()
    registry._registry._entries.clear()  # as after sixteen newer ones
    with at("10.0.0.1"):
        guessed(registry.find, "wrong")
        with pytest.raises(TooManyGuesses):
            registry.find("wrong")
        assert codes.find(code).run == run
        assert registry.find(run).ended
    assert codes.find(code).run == run
    registry.close()
