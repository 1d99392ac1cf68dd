"""The commands of the page's script: which of them wait for a turn, and what they answer where there is none."""

from __future__ import annotations

import threading

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.api import errors
from app.api.command_routes import NAMES, command_routes
from app.api.commands import COMMANDS, Commands
from app.fairness.fair_executor import FairExecutor
from app.runs.manager import RunManager
from nayer.networks.cards import teacher_cards
from tests.support.scripted import Scripted, script
from tests.support.serving import wait_until

ARGUMENTS: dict[str, list[object]] = {
    "redraws": ["nobody", "", 1],
    "change": ["nobody", "", {}],
    "class_code": ["nobody", "", "live", "http://127.0.0.1/"],
    "runs": [""],
    "describe": ["nobody", "", "", ""],
    "start_lab": ["nobody"],
}


@pytest.mark.parametrize("name", NAMES)
def test_a_command_that_waits_or_checks_settings_is_refused_where_its_address_has_no_turn(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "BUSY_SECONDS", 0.0)
    registry = RunManager(lambda plan: Scripted(lambda: script(plan.configs[0])))
    turns = FairExecutor("questions", workers=1, waiting=1, each=1)
    application = FastAPI()
    errors.add_handlers(application)
    commands = Commands(registry, teacher_cards(), local=True)
    application.include_router(command_routes(commands, registry.counters, turns, turns))
    client, free, begun = TestClient(application), threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        assert free.wait(10)

    try:
        running = turns.submit(hold)
        assert begun.wait(10)
        waiting = turns.submit(lambda: None)  # all the room that its address has
        answer = client.post(f"/command/{name}", json=ARGUMENTS.get(name, ["nobody", ""]))
        waits = next(one.waits or one.checks for one in COMMANDS if one.name == name)
        assert answer.status_code == (429 if waits else 200)
        refusal = "questions: the queue takes no more of your address" if waits else "'nobody' does not exist"
        assert refusal in answer.json()["error"]
    finally:
        free.set()
        wait_until(lambda: running.done() and waiting.done())
        registry.close()
