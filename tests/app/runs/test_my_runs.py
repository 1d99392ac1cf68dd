"""A visitor's own runs: nobody else sees, names or deletes them, and they outlive the process where it keeps any."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.api.commands import Commands
from app.runs import live_run
from app.runs.history import RunHistory
from app.runs.live_run import LiveRun
from app.runs.manager import RunManager
from app.runs.my_runs import LISTED, LONGEST_NAME, LONGEST_NOTES
from app.runs.plan import Plan
from app.runs.recordings import Recordings
from app.runs.registry import NoSuchRun
from app.runs.visitors import NotYours
from app.storage import run_store
from app.storage.run_store import Store
from nayer.compare.experiments import Arm
from nayer.config import Config
from nayer.errors import ConfigError, NayerError
from tests.support.gates import Gate
from tests.support.scripted import SHORT, Scripted, script
from tests.support.serving import created, wait_until


class Server:
    """A server that can be started again with the same folder, or without one."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.registry: RunManager
        self.commands: Commands
        self.start()

    def start(self) -> None:
        history = RunHistory(Store(self._folder)) if self._folder else RunHistory(without="Nothing is kept.")
        self.registry = RunManager(lambda plan: Scripted(lambda: script(plan.configs[0])), history=history)
        self.commands = Commands(self.registry, [], local=True)

    def restart(self) -> None:
        self.registry.close()
        self.start()

    def run(self, token: str, config: Config = SHORT) -> LiveRun:
        run = self.registry.start(Plan.alone(config), token)
        wait_until(lambda: run.ended)
        self.registry.history.flush()
        return run


@pytest.fixture(params=["kept on the disk", "in memory only"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path if request.param == "kept on the disk" else None)
    yield server
    server.registry.close()


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.registry.close()


def ids(runs: list[dict[str, Any]]) -> list[str]:
    return [run["run"] for run in runs]


def test_a_visitor_sees_their_own_runs_the_newest_first_and_nobody_elses(server: Server) -> None:
    mine, other = server.registry.visitor(""), server.registry.visitor("")
    first = server.run(mine)
    second = server.run(mine, SHORT.model_copy(update={"seed": 7}))
    foreign = server.run(other)
    listed = server.commands.runs(mine)
    assert ids(listed) == [second.id, first.id]
    assert ids(server.commands.runs(other)) == [foreign.id]
    assert server.commands.runs("") == server.commands.runs("guessed") == []
    newest = listed[0]
    assert (newest["seed"], newest["state"], newest["rounds_done"], newest["rounds"]) == (7, "finished", 3, 3)
    assert newest["accuracy"] == pytest.approx(0.3)
    assert newest["teacher_accuracy"] == pytest.approx(0.9)
    assert newest["arms"] == []
    assert abs(newest["began"] - time.time()) < 600


def test_a_run_that_began_later_is_listed_first_whatever_the_clock_said(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = server.registry.visitor("")
    ids = []
    for year in (2026, 1970, 2040):

        class Set(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None, year: int = year) -> datetime:
                return datetime(year, 5, 1, tzinfo=tz)

        for module in (live_run, run_store):
            monkeypatch.setattr(module, "datetime", Set)
        ids.append(server.run(token, Config.parse({"seed": year}, base=SHORT)).id)
    assert [row["run"] for row in server.commands.runs(token)] == ids[::-1]


def test_a_name_and_notes_are_kept_in_unicodes_composed_form(server: Server) -> None:
    token = server.registry.visitor("")
    run = server.run(token)
    server.commands.describe(run.id, token, "  cafe\u0301 ", "Line one.\nLine two. 🐘")
    [told] = server.commands.runs(token)
    assert (told["name"], told["notes"]) == ("café", "Line one.\nLine two. 🐘")
    server.commands.describe(run.id, token, "", "")
    [told] = server.commands.runs(token)
    assert (told["name"], told["notes"]) == ("", "")


def test_all_of_it_is_there_after_a_restart(keeping: Server) -> None:
    token = keeping.registry.visitor("")
    run = keeping.run(token)
    keeping.commands.describe(run.id, token, "mine", "noted")
    before = keeping.commands.runs(token)
    keeping.restart()
    assert keeping.commands.runs(token) == before
    assert keeping.registry.find(run.id).name == "mine"
    assert keeping.commands.runs(token) == before  # now from memory
    assert keeping.registry.visitor(token) == token


@pytest.mark.parametrize(
    ("name", "notes", "sentence"),
    [
        ("x" * (LONGEST_NAME + 1), "", "name must have at most 80 characters; 81 were given."),
        ("", "x" * (LONGEST_NOTES + 1), "notes must have at most 2,000 characters; 2,001 were given."),
        ("two\nlines", "", "name must be one line; put the rest into the notes."),
        ("turned \u202e round", "", "name contains U+202E, a character that cannot be shown; leave it out."),
        ("", "a \x07 bell", "notes contains U+0007, a character that cannot be shown; leave it out."),
    ],
)
def test_a_text_that_does_not_fit_is_refused_in_a_sentence_and_changes_nothing(
    name: str, notes: str, sentence: str, keeping: Server
) -> None:
    token = keeping.registry.visitor("")
    run = keeping.run(token)
    with pytest.raises(ConfigError) as error:
        keeping.commands.describe(run.id, token, name, notes)
    assert str(error.value) == sentence
    [told] = keeping.commands.runs(token)
    assert (told["name"], told["notes"]) == ("", "")


def test_nobody_else_names_or_deletes_a_run(server: Server) -> None:
    token, other = server.registry.visitor(""), server.registry.visitor("")
    run = server.run(token)
    for stranger in ("", "guessed", other):
        with pytest.raises(NotYours):
            server.commands.describe(run.id, stranger, "theirs", "")
        with pytest.raises(NotYours):
            server.commands.delete(run.id, stranger)
    [told] = server.commands.runs(token)
    assert told["name"] == ""


def test_a_deleted_run_is_gone_with_its_files_its_replay_and_after_a_restart(keeping: Server, tmp_path: Path) -> None:
    token = keeping.registry.visitor("")
    run, other = keeping.run(token), keeping.run(token, SHORT.model_copy(update={"seed": 1}))
    recordings = Recordings(keeping.registry)
    for read in (recordings.of, recordings.networks):
        read(run.id)
    for one in (run, other):
        wait_until(lambda one=one: bool(list((tmp_path / "files").glob(f"{one.id}.*"))))
    keeping.commands.delete(run.id, token)
    assert ids(keeping.commands.runs(token)) == [other.id]
    for look in (keeping.registry.find, recordings.of, recordings.networks):
        with pytest.raises(NoSuchRun):
            look(run.id)
    assert not list((tmp_path / "files").glob(f"{run.id}.*"))
    assert list((tmp_path / "files").glob(f"{other.id}.*"))
    keeping.restart()
    assert ids(keeping.commands.runs(token)) == [other.id]
    with pytest.raises(NoSuchRun):
        keeping.registry.find(run.id)
    with pytest.raises(NayerError):
        keeping.commands.delete(run.id, token)


def test_a_run_that_goes_on_ends_when_it_is_deleted_and_leaves_nothing(tmp_path: Path) -> None:
    gate, store = Gate(), Store(tmp_path)
    registry = RunManager(gate.opener, history=RunHistory(store), capacity=1)
    commands = Commands(registry, [], local=True)
    going = registry.start(Plan.alone(SHORT), registry.visitor(""))
    waiting = registry.start(Plan.alone(SHORT), registry.visitor(""))
    wait_until(lambda: going.state == "running")
    assert waiting.waiting
    commands.delete(waiting.id, waiting.owner)
    commands.delete(going.id, going.owner)
    gate.open.set()
    wait_until(lambda: going.session.state == "stopped")
    assert registry.counts()["waiting"] == 0
    registry.history.flush()
    assert store.size()[0] == 0
    registry.close()


def test_a_lab_is_listed_with_its_arms(keeping: Server) -> None:
    token = keeping.registry.visitor("")
    plan = Plan((Arm("never", SHORT), Arm("always", SHORT)), title="Resets")
    run = keeping.registry.start(plan, token)
    wait_until(lambda: run.ended)
    [told] = keeping.commands.runs(token)
    assert (told["arms"], told["title"]) == (["never", "always"], "Resets")


def test_of_many_runs_the_newest_are_listed(keeping: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.runs.my_runs.LISTED", 3)
    assert LISTED == 100
    token = keeping.registry.visitor("")
    runs = [keeping.run(token, SHORT.model_copy(update={"seed": seed})) for seed in range(5)]
    assert ids(keeping.commands.runs(token)) == [run.id for run in runs[:1:-1]]
    keeping.restart()
    assert ids(keeping.commands.runs(token)) == [run.id for run in runs[:1:-1]]


def test_the_page_asks_by_post_and_programs_have_no_endpoint_for_it() -> None:
    application = created(lambda plan: Scripted(lambda: script(plan.configs[0])))
    with TestClient(application, base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"}) as client:
        assert client.post("/command/runs", json=["nobody"]).json() == {"told": []}
        refused = client.post("/command/delete", json=["nobody", ""]).json()
        assert "does not exist" in refused["error"]
        unknown = client.post("/gradio_api/run/nonsense", json={"data": ["nobody", ""]})
        assert client.post("/gradio_api/run/delete", json={"data": ["nobody", ""]}).status_code == unknown.status_code


def test_a_look_that_began_before_a_run_was_deleted_does_not_bring_it_back(tmp_path, monkeypatch) -> None:
    registry = RunManager(lambda plan: Scripted(lambda: script(plan.configs[0])), history=RunHistory(Store(tmp_path)))
    token = registry.visitor("")
    run = registry.start(Plan.alone(SHORT), token).id
    wait_until(lambda: registry.find(run).ended, what="the end of the run")
    registry.history.flush()
    registry._registry._entries.clear()  # as after sixteen newer ones
    loaded, deleted, past = threading.Event(), threading.Event(), registry.history.past

    def slowly(run_id: str) -> LiveRun | None:
        found = past(run_id)
        loaded.set()
        assert deleted.wait(10)
        return found

    monkeypatch.setattr(registry.history, "past", slowly)
    with ThreadPoolExecutor(1) as thread:
        looking = thread.submit(registry.find, run)
        assert loaded.wait(10)
        monkeypatch.setattr(registry.history, "past", past)
        registry.delete(run, token)
        deleted.set()
        with pytest.raises(NoSuchRun):
            looking.result(10)
    with pytest.raises(NoSuchRun):
        registry.find(run)
    registry.close()
