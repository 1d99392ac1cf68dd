"""Runs outlive the process: what was shown is shown again, and who began a run goes on with it from its checkpoint."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.api.commands import Commands
from app.api.health import state
from app.content import messages
from app.run_state.embedding_map import Atlas
from app.run_state.serializer import payload
from app.runs.history import RunHistory, hashed
from app.runs.live_run import LiveRun, Source
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.runs.recorder import EVERY_ROUND, TEACHER, Recorder, thinned
from app.runs.recordings import Recordings
from app.runs.registry import NoSuchRun
from app.runs.visitors import NotYours
from app.server import open_source
from app.storage.run_store import SAMPLES, Store
from nayer.config import Config
from nayer.errors import ConfigError, StorageError
from nayer.events import (
    Evaluated,
    EvaluatedAtStart,
    Event,
    LayerRedrawn,
    Note,
    RoundFinished,
    RoundSynthesized,
    RunStarted,
)
from nayer.networks.cards import teacher_cards
from nayer.teachers.upload import UploadedTeacher
from tests.app.storage.test_run_store import held_up
from tests.support.commanding import command
from tests.support.gates import Gate
from tests.support.scripted import SHORT, Scripted, script
from tests.support.serving import wait_until
from tests.support.tiny import QUICK_ROUNDS, all_same

TINY = Config(**QUICK_ROUNDS, rounds=6)


class Machine:
    """A registry on a folder, as one process after the other has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened: list[Plan] = []
        self.registry: RunManager | None = None

    def boot(self, opener: object = None) -> RunManager:
        def opening(plan: Plan) -> Source:
            self.opened.append(plan)
            return open_source(plan) if opener is None else opener(plan)  # type: ignore[operator,no-any-return]

        self.registry = RunManager(opening, history=RunHistory(Store(self.folder), checkpoint_seconds=0.0))
        return self.registry

    def crash(self) -> None:
        """What SIGKILL leaves: what is on the disk, and a lock that nobody holds."""
        assert self.registry is not None
        store = self.registry.history.store
        assert store is not None
        store.flush()
        store.end = store.add = store.keep = lambda *_: None  # type: ignore[assignment,method-assign]
        store.close()
        self.registry.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    if machine.registry is not None:
        machine.registry.close()


def begin(registry: RunManager, config: Config = TINY) -> LiveRun:
    return registry.start(Plan.alone(config), registry.visitor(""))


def accuracies(events: list[Event]) -> list[tuple[float, float | None]]:
    """The points of the curve: the first is of the student before it has learned."""
    return [
        (0.0 if isinstance(event, EvaluatedAtStart) else event.round + 1.0, event.accuracy)
        for event in events
        if isinstance(event, Evaluated)
    ]


def test_a_run_goes_on_from_its_checkpoint_after_a_crash_and_ends_as_it_would_have(machine: Machine) -> None:
    straight = list(open_source(Plan.alone(TINY)).events())
    registry = machine.boot()
    run = begin(registry)
    command(registry, run.id, run.owner, "pace", 0.0)
    wait_until(lambda: run.refresh().rounds_done >= 2)
    command(registry, run.id, run.owner, "pause")
    before = run.refresh().rounds_done
    wait_until(lambda: run.state == "paused")
    machine.crash()

    registry = machine.boot()
    past = registry.look(run.id)
    assert past.state == "interrupted"
    assert 0 < past.refresh().rounds_done <= before + 1
    assert len(past.refresh().rows) == past.refresh().rounds_done
    assert registry.visitor(run.owner) == run.owner
    seen = past.refresh().seq

    with pytest.raises(ConfigError, match="needs too much memory"):
        Commands(registry, teacher_cards(), local=False, memory=1 << 20).revive(run.id, run.owner)
    again = registry.revive(run.id, run.owner)
    assert again.id == run.id
    wait_until(lambda: again.ended)
    view = again.refresh()
    assert (again.state, view.reason, view.rounds_done) == ("finished", "rounds done", TINY.rounds)
    assert machine.opened[-1].checkpoint
    assert any("continues from the end of round" in note for note in view.notes)
    assert view.seq > seen  # whoever watched hears of it
    points = [(point.x, point.values[0]) for point in view.measures.points]
    assert points == accuracies(straight)

    machine.crash()
    registry = machine.boot()
    stored = registry.look(run.id)
    assert stored.state == "finished"
    told = payload(stored.refresh(), 0)
    assert told is not None
    assert len(told["measures"]["points"]) == TINY.rounds + 1  # the first before the student has learned
    assert [row["round"] for row in told["rows"]] == list(range(TINY.rounds))
    assert stored.frame(told["rows"][-1]["frame"])


def test_the_playback_of_a_run_that_goes_on_is_made_again(machine: Machine) -> None:
    registry = machine.boot()
    run = begin(registry)
    wait_until(lambda: run.refresh().rounds_done >= 1)
    command(registry, run.id, run.owner, "pause")
    wait_until(lambda: run.state == "paused")
    machine.crash()
    registry = machine.boot()
    recordings = Recordings(registry)
    first = recordings.of(run.id).timeline
    assert recordings.of(run.id).timeline is first
    again = registry.revive(run.id, run.owner)
    wait_until(lambda: again.ended)
    assert json.loads(recordings.of(run.id).timeline)["duration"] > json.loads(first)["duration"]


def test_nobody_else_goes_on_with_a_run_and_nobody_with_one_that_ended(machine: Machine) -> None:
    registry = machine.boot(lambda plan: Scripted(lambda: script(plan.configs[0])))
    ended = begin(registry, SHORT)
    wait_until(lambda: ended.ended)
    with pytest.raises(ConfigError, match="was not interrupted"):
        registry.revive(ended.id, ended.owner)
    gate = Gate()
    machine.crash()
    registry = machine.boot(gate.opener)
    run = begin(registry, SHORT)
    wait_until(lambda: run.refresh().started is not None)
    machine.crash()
    registry = machine.boot(gate.opener)
    for token in ("", "guess", registry.visitor(""), ended.owner):
        with pytest.raises(NotYours):
            registry.revive(run.id, token)
    with pytest.raises(NoSuchRun):
        registry.revive("nobody", run.owner)
    gate.open.set()
    assert registry.revive(run.id, run.owner).state in ("running", "finished")


def test_without_a_checkpoint_a_run_begins_again_and_says_so(machine: Machine) -> None:
    gate = Gate()
    registry = machine.boot(gate.opener)
    run = begin(registry, SHORT)
    wait_until(lambda: run.refresh().started is not None)
    machine.crash()
    gate.open.set()
    registry = machine.boot(gate.opener)
    again = registry.revive(run.id, run.owner)
    wait_until(lambda: again.ended)
    view = again.refresh()
    assert view.rounds_done == SHORT.rounds
    assert messages.RESUMED_FROM_THE_START in view.notes


def test_a_damaged_checkpoint_is_said_and_the_run_stays_to_be_seen(machine: Machine) -> None:
    source = Scripted(lambda: script(SHORT))
    source.saved = b"half of it"
    registry = machine.boot(lambda plan: source)
    run = begin(registry, SHORT)
    wait_until(lambda: run.ended)
    store = registry.history.store
    assert store is not None
    store.end(run.id, "interrupted")
    store.flush()
    machine.crash()
    for path in (machine.folder / "files").glob("*checkpoint*"):
        path.write_bytes(b"flipped")
    registry = machine.boot(lambda plan: source)
    with pytest.raises(StorageError, match="the checkpoint of this run is damaged"):
        registry.revive(run.id, run.owner)
    assert registry.look(run.id).refresh().rounds_done == SHORT.rounds


def test_an_orderly_end_of_the_server_interrupts_runs_and_keeps_their_last_round(machine: Machine) -> None:
    registry = machine.boot()
    runs = [begin(registry, TINY.model_copy(update={"rounds": 10_000, "seed": seed})) for seed in range(3)]
    wait_until(lambda: all(run.refresh().rounds_done >= 1 for run in runs[:2]))
    done = [run.refresh().rounds_done for run in runs]
    registry.close()
    registry = machine.boot()
    past = [registry.look(run.id) for run in runs]
    assert [run.state for run in past] == ["interrupted"] * 3
    assert [run.refresh().reason for run in past] == [""] * 3
    again = registry.revive(runs[0].id, runs[0].owner)
    wait_until(lambda: again.refresh().rounds_done > done[0])
    assert again.refresh().reason == ""
    assert all(run.refresh().rounds_done >= before for run, before in zip(past, done, strict=True))


def test_how_a_run_ended_is_kept(machine: Machine) -> None:
    def opener(plan: Plan) -> Source:
        if plan.configs[0].seed == 1:
            raise ConfigError("seed=1 does not work here.")
        return Scripted(lambda: script(plan.configs[0]))

    registry = machine.boot(opener)
    gate = Gate()
    runs = [begin(registry, SHORT.model_copy(update={"seed": seed})) for seed in range(2)]
    wait_until(lambda: all(run.ended for run in runs))
    del gate
    machine.crash()
    registry = machine.boot(opener)
    assert [registry.look(run.id).state for run in runs] == ["finished", "failed"]
    assert registry.look(runs[1].id).refresh().condition.error == "seed=1 does not work here."
    store = registry.history.store
    assert store is not None
    assert store.file(runs[0].id, "student-0") == (b"student 0", 0)


def test_runs_are_kept_in_memory_only_with_a_sentence_where_there_is_no_history() -> None:
    registry = RunManager(
        lambda plan: Scripted(lambda: script(plan.configs[0])), history=RunHistory(without=messages.KEPT_UNWRITABLE)
    )
    try:
        run = begin(registry, SHORT)
        wait_until(lambda: run.ended)
        told = payload(run.refresh(), 0)
        assert told is not None
        assert told["kept"] == messages.KEPT_UNWRITABLE
        with pytest.raises(ConfigError):
            registry.revive(run.id, run.owner)
    finally:
        registry.close()


def test_a_token_is_kept_as_its_hash_only(machine: Machine) -> None:
    registry = machine.boot(lambda plan: Scripted(lambda: script(plan.configs[0])))
    run = begin(registry, SHORT)
    wait_until(lambda: run.ended)
    machine.crash()
    everything = b"".join(path.read_bytes() for path in machine.folder.rglob("*") if path.is_file())
    assert run.owner.encode() not in everything
    assert hashed(run.owner).encode() in everything


# --- what is written -------------------------------------------------------------------------------------------------


def test_a_round_is_one_write_of_few_rows(tmp_path: Path) -> None:
    store = Store(tmp_path)
    recorder = Recorder(store, "one", "hash", "{}", checkpoint_seconds=1e9)
    config = SHORT.model_copy(update={"rounds": SAMPLES + 8, "generator_steps": 9, "student_steps": 9})
    store.begin("one", "hash", "{}")
    store.flush(10)
    handed_over = []
    store.add, add = lambda *given: handed_over.append(len(given[2])) or add(*given), store.add  # type: ignore[method-assign,assignment,func-returns-value]
    for event in script(config):
        recorder.on_event(event)
    assert len(handed_over) == 1 + config.rounds + 1  # the start, the rounds, the end
    assert handed_over[1:-1] == [6] * config.rounds
    assert store.flush(10)
    size = sum(len(body) for (body,) in store._rows("SELECT body FROM event"))
    assert size < 1500 * config.rounds
    kept = store.events("one")
    assert sum(isinstance(event, RoundSynthesized) for event in kept) == SAMPLES
    assert sum(isinstance(event, RoundFinished) for event in kept) == config.rounds
    store.close()


def test_what_is_thinned_shows_the_same(tmp_path: Path) -> None:
    events = list(script(SHORT))
    started = next(event for event in events if isinstance(event, RunStarted))
    atlas = Atlas.of(started.embeddings)
    for event in events:
        small = thinned(event)
        if isinstance(event, LayerRedrawn) and isinstance(small, LayerRedrawn):
            assert small.outputs.shape[2] <= small.outputs.shape[1]
            np.testing.assert_allclose(
                atlas.place_outputs(small.outputs), atlas.place_outputs(event.outputs[:1]), atol=1e-4
            )
        if isinstance(event, RoundSynthesized) and isinstance(small, RoundSynthesized):
            assert small.labels.tolist() == [0, 1, 2, 3]
            assert len(small.images) == len(small.features) == len(small.student_confidence) == 4
    first = thinned(events[0])
    assert all_same([first], [events[0]])


def test_a_run_of_many_rounds_is_recorded_ever_more_rarely(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.begin("one", "hash", "{}")
    recorder = Recorder(store, "one", "hash", "{}", checkpoint_seconds=1e9)
    for round_ in range(EVERY_ROUND + 100):
        recorder.on_event(RoundFinished(round=round_, seconds=1.0, rounds=100_000))
    assert store.flush(30)
    rounds = [event.round for event in store.events("one")]
    assert rounds == [*range(EVERY_ROUND), *range(EVERY_ROUND, EVERY_ROUND + 100, 10)]
    store.close()


def test_a_history_that_breaks_leaves_the_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)

    def broken(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(store, "add", broken)
    registry = RunManager(lambda plan: Scripted(lambda: script(plan.configs[0])), history=RunHistory(store))
    run = begin(registry, SHORT)
    wait_until(lambda: run.ended)
    assert run.state == "finished"
    assert not [event for event in run.session.snapshot() if isinstance(event, Note)]
    registry.close()


# --- a history that vanishes while runs go on ------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.storage.write_queue.RETRY_SECONDS", 0.02)


def made_anew(registry: RunManager, folder: Path) -> None:
    """The data folder is deleted, and created again with all data that is recorded again."""
    store = registry.history.store
    assert store is not None
    former = store.writer._folder
    gone = folder.with_name(f"{folder.name}-gone")
    folder.rename(gone)  # at once: while a folder is emptied, the writer may still put a file into it
    shutil.rmtree(gone, ignore_errors=True)
    wait_until(lambda: store.writer._folder not in (None, former))
    wait_until(lambda: store.note == messages.KEPT_REPLACED)
    wait_until(lambda: store.flush(1))


def test_runs_that_go_on_are_kept_anew_after_the_folder_vanished(machine: Machine, quick: None) -> None:
    registry = machine.boot()
    run = begin(registry)
    command(registry, run.id, run.owner, "pace", 0.0)
    wait_until(lambda: run.refresh().rounds_done >= 2)
    command(registry, run.id, run.owner, "pause")
    wait_until(lambda: run.state == "paused")
    done = run.refresh().rounds_done
    made_anew(registry, machine.folder)
    assert payload(run.refresh(), 0)["kept"] == messages.KEPT_REPLACED  # type: ignore[index]
    facts = state(registry)
    assert (facts["kept"], facts["degraded"]) == (messages.KEPT_REPLACED, False)
    command(registry, run.id, run.owner, "step", "round")
    wait_until(lambda: run.state == "paused" and run.refresh().rounds_done == done + 1)
    machine.crash()

    registry = machine.boot()
    past = registry.look(run.id)
    assert past.state == "interrupted"
    assert past.refresh().rounds_done == done + 1
    assert len(past.refresh().measures.points) == len(run.refresh().measures.points)
    again = registry.revive(run.id, run.owner)
    wait_until(lambda: again.ended)
    assert (again.state, again.refresh().rounds_done) == ("finished", TINY.rounds)
    assert machine.opened[-1].checkpoint
    straight = list(open_source(Plan.alone(TINY)).events())
    points = [(point.x, point.values[0]) for point in again.refresh().measures.points]
    assert points == accuracies(straight)


def test_runs_that_wait_are_kept_anew_and_those_that_ended_are_not_said_to_go_on(machine: Machine, quick: None) -> None:
    gate = Gate()
    registry = machine.boot(gate.opener)
    runs = [begin(registry, SHORT.model_copy(update={"seed": seed})) for seed in range(4)]
    wait_until(lambda: all(run.refresh().started for run in runs[:2]))
    left = runs[3]
    command(registry, left.id, left.owner, "stop")
    made_anew(registry, machine.folder)
    machine.crash()
    registry = machine.boot(gate.opener)
    gate.open.set()
    assert [registry.look(run.id).state for run in runs[:3]] == ["interrupted"] * 3
    with pytest.raises(NoSuchRun):
        registry.look(left.id)


def test_a_run_whose_rows_were_given_up_is_whole_once_the_disk_works(
    machine: Machine, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = machine.boot()
    store = registry.history.store
    assert store is not None
    run = begin(registry, TINY.model_copy(update={"rounds": 10_000}))
    monkeypatch.setattr("app.storage.pending_writes.MAX_WRITES", 3)
    with held_up(store):
        wait_until(lambda: run.refresh().rounds_done >= 12)
        command(registry, run.id, run.owner, "pause")
        wait_until(lambda: run.state == "paused")
    told = [event.round for event in run.session.snapshot() if isinstance(event, Evaluated)]

    def measured() -> list[int]:
        return [event.round for event in store.events(run.id) if isinstance(event, Evaluated)]

    wait_until(lambda: measured() == told)
    assert store.sentence == ""
    assert any(isinstance(event, RunStarted) for event in store.events(run.id))


def test_health_tells_while_runs_are_kept_in_memory_only(machine: Machine, quick: None) -> None:
    registry = machine.boot(lambda plan: Scripted(lambda: script(plan.configs[0])))
    assert (state(registry)["kept"], state(registry)["degraded"]) == ("on disk", False)
    shutil.rmtree(machine.folder)
    machine.folder.touch()
    wait_until(lambda: state(registry)["kept"] == messages.KEPT_UNWRITABLE)
    assert state(registry)["degraded"]
    assert state(registry)["ready"]
    run = begin(registry, SHORT)
    wait_until(lambda: run.ended)
    assert run.refresh().rounds_done == SHORT.rounds
    machine.folder.unlink()
    wait_until(lambda: not state(registry)["degraded"])
    off, lost = RunHistory(without=messages.KEPT_OFF), RunHistory(without=messages.KEPT_ELSEWHERE)
    assert (off.fails, lost.fails) == (False, True)


def test_who_comes_and_who_looks_at_a_run_of_the_past_waits_for_no_write(machine: Machine) -> None:
    registry = machine.boot(lambda plan: Scripted(lambda: script(plan.configs[0])))
    run = begin(registry, SHORT)
    wait_until(lambda: run.ended)
    machine.crash()
    registry = machine.boot(lambda plan: Scripted(lambda: script(plan.configs[0])))
    store = registry.history.store
    assert store is not None
    answers: list[object] = []
    with held_up(store):  # as by a disk that takes seconds for one commit
        store.end("another", "finished")
        asked = [lambda: registry.visitor(run.owner), lambda: registry.look(run.id).state]
        threads = [threading.Thread(target=lambda ask=ask: answers.append(ask()), daemon=True) for ask in asked]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert set(answers) == {run.owner, "finished"}


# --- a teacher that was brought --------------------------------------------------------------------------------------


@pytest.mark.parametrize("harm", ["file gone", "file damaged", "never kept"])
def test_a_run_whose_brought_teacher_is_lost_says_so_and_stays_to_be_seen(harm: str, machine: Machine) -> None:
    gate = Gate()
    registry = machine.boot(gate.opener)
    uploaded = UploadedTeacher(b"config", b"weights")
    config = SHORT.model_copy(update={"teacher": uploaded.name})
    run = registry.start(replace(Plan.alone(config), uploaded=uploaded), registry.visitor(""))
    wait_until(lambda: run.refresh().started is not None)
    store = registry.history.store
    assert store is not None
    if harm == "never kept":
        store.drop(run.id, TEACHER)
    assert store.flush(10)
    machine.crash()
    for path in (machine.folder / "files").glob(f"*.{TEACHER}.*"):
        if harm == "file gone":
            path.unlink()
        else:
            path.write_bytes(b"flipped")
    gate.open.set()
    registry = machine.boot(gate.opener)
    for _ in range(2):
        with pytest.raises(StorageError, match=r"teacher .*this run .*(damaged on disk|no longer kept)"):
            registry.revive(run.id, run.owner)
        assert registry.look(run.id).state == "interrupted"


def test_a_run_that_was_cut_off_in_a_generator_step_shows_what_it_has(machine: Machine) -> None:
    """The disk keeps no images of a step: nothing is drawn of it, and nothing is said to be missing."""
    registry = machine.boot()
    run = begin(registry)
    command(registry, run.id, run.owner, "pause")
    wait_until(lambda: run.state == "paused" or run.ended)
    command(registry, run.id, run.owner, "step", "round")
    wait_until(lambda: run.state == "paused")
    command(registry, run.id, run.owner, "step", "generator")
    wait_until(lambda: run.state == "paused" and run.refresh().making is not None)
    registry.close()  # the server ends and writes what has happened

    past = machine.boot().look(run.id)
    view = past.refresh()
    assert view.making is not None
    assert not len(view.making.images)
    assert messages.NOT_DRAWN not in view.notes
    told = payload(view, 0)
    assert told is not None
    assert "making" not in told
    assert all(past.frame(row.seq) for row in view.rows)
