"""Laws of whose a run is, and of what it does and answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app.runs.live_run import NO_OWNER, LiveRun, Source, hashed
from app.runs.plan import Plan
from app.runs.visitors import NotYours, VisitorTokens, check_owner
from nayer.errors import ConfigError
from nayer.events import Event
from nayer.runs.session import Session
from tests.support.scripted import SHORT, Scripted, script
from tests.support.serving import at


def live(events: Iterator[Event], owner_hash: str | None = None) -> LiveRun:
    session: Session[Source] = Session(lambda: Scripted(lambda: events))
    return LiveRun(Plan.alone(SHORT), "owner", session, owner_hash=owner_hash, waiting=False)


@pytest.mark.parametrize("token", ["", "Owner", "owner ", hashed("owner"), hashed(hashed("owner")), "é"])
def test_only_the_token_itself_opens_a_run(token: str) -> None:
    run = live(script(SHORT))
    check_owner(run, "owner")
    with pytest.raises(NotYours, match="belongs to someone else"):
        check_owner(run, token)


def test_a_run_that_is_nobodys_is_nobodys() -> None:
    run = live(script(SHORT), NO_OWNER)
    for token in ("", "owner"):
        with pytest.raises(NotYours):
            check_owner(run, token)


def test_a_run_that_has_ended_does_nothing_more_and_refuses_to_change() -> None:
    run = live(script(SHORT))
    run.session.start()
    assert run.session.join(10)
    run.pause()
    run.resume()
    run.step("round")
    assert run.state == "finished"
    with pytest.raises(ConfigError, match="has ended and cannot change"):
        run.change(0, {})
    with pytest.raises(ConfigError, match="has ended and cannot change"):
        run.burst(lambda checkpoint: iter(()))


def test_who_asks_a_run_that_is_busy_is_told_so_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.runs.live_run.ANSWER_SECONDS", 0.02)
    busy, free = threading.Event(), threading.Event()

    def events() -> Iterator[Event]:
        busy.set()
        assert free.wait(10)
        yield from script(SHORT)

    run = live(events())
    run.session.start()
    assert busy.wait(10)
    with pytest.raises(ConfigError, match="did not answer within 0 s"):
        run.ask(lambda source: source.student(0))
    free.set()
    assert run.session.join(10)
    assert run.state == "finished"
    monkeypatch.undo()
    assert run.ask(lambda source: source.student(0)) == b"student 0"


def test_an_address_that_asks_for_thousands_of_tokens_takes_nobody_elses() -> None:
    visitors = VisitorTokens(lambda token: False)
    with at("10.0.0.1"):
        mine = visitors.token("")
        visitors.began(mine, "run")
    with at("10.0.0.2"):
        for _ in range(2100):
            visitors.token("")
    assert visitors.run(mine) == "run"
    assert visitors.token(mine) == mine
