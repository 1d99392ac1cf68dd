"""Laws of ownership, capacity and the queue."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator

import pytest
import torch

from app.run_state.reducer import ROWS
from app.runs.live_run import NETWORKS, LiveRun, Source
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.runs.registry import HELD_BYTES, NoSuchRun
from app.runs.visitors import NotYours
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.events import Event, RunStarted
from nayer.runs.session import Session
from tests.support.commanding import command
from tests.support.gates import Gate
from tests.support.scripted import SHORT, Scripted, script
from tests.support.serving import wait_until


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def registry(gate: Gate) -> Iterator[RunManager]:
    registry = RunManager(gate.opener, capacity=2)
    yield registry
    registry.close()


def begin(registry: RunManager, seed: int, token: str = "") -> LiveRun:
    return registry.start(Plan.alone(SHORT.model_copy(update={"seed": seed})), registry.visitor(token))


def test_no_more_run_at_once_than_there_are_places_and_the_rest_wait_in_order(registry: RunManager, gate: Gate) -> None:
    runs = [begin(registry, seed) for seed in range(5)]
    wait_until(lambda: sorted(gate.begun) == [0, 1])
    assert [run.state for run in runs] == ["running", "running", "queued", "queued", "queued"]
    assert [run.refresh().condition.ahead for run in runs] == [0, 0, 1, 2, 3]
    assert registry.counts() == {"running": 2, "waiting": 3, "capacity": 2, "lost": 0}


def test_two_runs_at_work_have_half_of_the_threads_each() -> None:
    both, seen, before = threading.Barrier(2), [], torch.get_num_threads()

    def events() -> Iterator[Event]:
        first, second, *_ = script(SHORT)
        both.wait(10.0)
        yield first
        seen.append(torch.get_num_threads())
        yield second

    torch.set_num_threads(4)
    registry = RunManager(lambda plan: Scripted(events), capacity=2)
    try:
        runs = [begin(registry, seed) for seed in range(2)]
        wait_until(lambda: all(run.ended for run in runs))
    finally:
        registry.close()
        torch.set_num_threads(before)
    assert seen == [2, 2]


def test_a_place_that_falls_free_goes_to_who_waited_longest(registry: RunManager, gate: Gate) -> None:
    runs = [begin(registry, seed) for seed in range(4)]
    command(registry, runs[1].id, runs[1].owner, "stop")
    wait_until(lambda: sorted(gate.begun) == [0, 1, 2])
    assert [run.refresh().condition.ahead for run in runs] == [0, 0, 0, 1]
    gate.open.set()
    wait_until(lambda: all(run.ended for run in runs))
    assert sorted(gate.begun[:2]) == [0, 1]
    assert gate.begun[2:] == [2, 3]
    assert registry.counts()["running"] == 0


def test_who_leaves_the_queue_lets_the_others_move_up(registry: RunManager) -> None:
    runs = [begin(registry, seed) for seed in range(5)]
    command(registry, runs[2].id, runs[2].owner, "stop")
    assert [run.refresh().condition.ahead for run in runs[3:]] == [1, 2]
    assert runs[2].refresh().condition.state == "stopped"


def test_a_new_play_replaces_the_visitors_run(registry: RunManager, gate: Gate) -> None:
    first = begin(registry, 0)
    second = begin(registry, 1, first.owner)
    assert second.owner == first.owner
    assert second.id != first.id
    wait_until(lambda: first.ended)
    wait_until(lambda: sorted(gate.begun) == [0, 1])
    assert second.state == "running"


def test_a_visitor_who_presses_play_often_holds_one_place(registry: RunManager) -> None:
    mine = begin(registry, 0)
    for seed in range(1, 6):
        mine = begin(registry, seed, mine.owner)
    other = begin(registry, 9)
    wait_until(lambda: mine.state == "running" and other.state == "running", what="both run")


@pytest.mark.parametrize("order", [("pause",), ("resume",), ("step", "round"), ("pace", 1.0), ("stop",)])
@pytest.mark.parametrize("token", ["", "guess", "é"])
def test_nobody_else_commands_a_run(registry: RunManager, order: tuple[object, ...], token: str) -> None:
    run = begin(registry, 0)
    with pytest.raises(NotYours, match="belongs to someone else"):
        command(registry, run.id, token, *order)
    stranger = registry.visitor("")
    with pytest.raises(NotYours):
        command(registry, run.id, stranger, *order)
    assert run.state == "running"


def test_only_tokens_of_ours_are_kept(registry: RunManager) -> None:
    assert registry.visitor("chosen-by-me") != "chosen-by-me"
    token = registry.visitor("")
    assert registry.visitor(token) == token


def test_an_unknown_run_is_said_to_be_unknown(registry: RunManager) -> None:
    with pytest.raises(NoSuchRun, match=r"run='nothing' does not exist"):
        registry.look("nothing")


def test_run_ids_and_tokens_cannot_be_guessed(registry: RunManager) -> None:
    runs = [begin(registry, seed) for seed in range(4)]
    assert len({run.id for run in runs} | {run.owner for run in runs}) == 8
    assert all(len(run.id) >= 16 and len(run.owner) >= 32 for run in runs)


def test_who_waits_and_does_not_come_back_loses_the_place_in_the_queue(gate: Gate) -> None:
    now = [0.0]
    registry = RunManager(gate.opener, capacity=1, grace_seconds=90, clock=lambda: now[0])
    try:
        runs = [begin(registry, seed) for seed in range(3)]
        wait_until(lambda: runs[0].state == "running")  # one that has not begun would be stopped at once
        now[0] = 80.0
        registry.look(runs[0].id)  # or its own grace ends it at its next event
        registry.look(runs[2].id)
        now[0] = 100.0
        registry.sweep()
        assert [run.state for run in runs] == ["running", "stopped", "queued"]
        assert runs[2].refresh().condition.ahead == 1
    finally:
        registry.close()


def test_a_run_nobody_watches_ends_after_the_grace(gate: Gate) -> None:
    registry = RunManager(gate.opener, grace_seconds=0.05)
    try:
        run = begin(registry, 0)
        wait_until(lambda: run.ended)
        assert run.state == "stopped"
    finally:
        registry.close()


def test_runs_that_ended_can_be_looked_at_and_the_oldest_go_first() -> None:
    registry = RunManager(lambda plan: Scripted(lambda: script(plan.configs[0])), capacity=4)
    try:
        runs = [begin(registry, seed) for seed in range(20)]
        wait_until(lambda: all(run.ended for run in runs))
        registry.sweep()
        with pytest.raises(NoSuchRun):
            registry.find(runs[0].id)
        assert registry.find(runs[-1].id).refresh().condition.state == "finished"
    finally:
        registry.close()


def test_one_run_that_fails_says_so_and_the_others_go_on() -> None:
    def opener(config: object) -> Source:
        raise ConfigError("teacher must be one of digits, fashion; 'nobody' was given.")

    registry = RunManager(opener)
    try:
        failed = begin(registry, 0)
        wait_until(lambda: failed.ended)
        condition = failed.refresh().condition
        assert condition.state == "failed"
        assert condition.error.endswith("; 'nobody' was given.")
        assert registry.counts()["running"] == 0
    finally:
        registry.close()


def test_close_ends_every_run_and_lets_nobody_in(gate: Gate) -> None:
    registry = RunManager(gate.opener, capacity=1)
    runs = [begin(registry, seed) for seed in range(3)]
    registry.close()
    assert all(run.ended for run in runs)
    assert gate.begun == [0]


def test_an_inbox_that_was_given_up_is_taken_up_again(registry: RunManager, gate: Gate) -> None:
    run = begin(registry, 0)
    wait_until(lambda: run.refresh().started is not None)
    before = run.refresh().seq
    run._inbox.close()
    gate.open.set()
    wait_until(lambda: run.ended)
    after = run.refresh()
    assert after.seq > before
    assert after.started is not None
    assert [row.round for row in after.rows] == [0, 1, 2]


def test_a_rows_strip_stays_as_long_again_as_it_is_shown() -> None:
    """A browser that is told of rows fetches their strips a little later, while rounds go on."""
    config = SHORT.model_copy(update={"rounds": 3 * ROWS})
    session: Session[Source] = Session(lambda: Scripted(lambda: script(config)))
    run = LiveRun(Plan.alone(config), "owner", session, waiting=False)
    session.start(paused=True)
    strips = []
    for _ in range(2 * ROWS + 7):
        session.step("round")
        wait_until(lambda: session.state == "paused")
        strips.append(run.refresh().rows[-1].seq)
    shown = [row.seq for row in run.refresh().rows]
    assert shown == strips[-ROWS:]
    assert all(run.frame(seq) for seq in strips[-2 * ROWS :])
    assert run.frame(strips[0]) is None
    session.stop()
    assert session.join(5.0)


def test_frames_are_kept_for_rows_on_show_and_gone_for_others(registry: RunManager, gate: Gate) -> None:
    run = begin(registry, 0)
    gate.open.set()
    wait_until(lambda: run.ended)
    view = run.refresh()
    assert all(run.frame(row.seq) for row in view.rows)
    assert run.frame(view.seq + 1) is None


def test_of_runs_that_ended_the_newest_keep_their_networks_and_wide_ones_only_as_far_as_the_memory_goes() -> None:
    wide = [False]

    def told(config: Config) -> Iterator[Event]:
        for event in script(config):
            if isinstance(event, RunStarted) and wide[0]:
                event = dataclasses.replace(event, parameters={"student": HELD_BYTES // (4 * NETWORKS) * 2 // 3})
            yield event

    registry = RunManager(lambda plan: Scripted(lambda: told(plan.configs[0])))

    def with_networks(number: int) -> list[bool]:
        runs = []
        for seed in range(number):
            config = SHORT.model_copy(update={"seed": seed})
            runs.append(registry.start(Plan.alone(config), registry.visitor("")))
            wait_until(lambda: runs[-1].ended)
        registry.sweep()
        return [run.session.call_now(lambda source: True) is not None for run in runs]

    assert with_networks(5) == [False, True, True, True, True]
    wide[0] = True
    assert with_networks(3) == [False, False, True]
    registry.close()
