"""Laws of waiting: who left waits no more, who stands still gives way, a hanging run costs its place and no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.environment import LOOPBACK, Environment
from app.live_run import LiveRun
from app.places import LEAVE_SECONDS
from app.plans import Plan
from app.queue import QueueFull
from app.sessions import DOUBLE_SECONDS, Registry
from app.waits import estimate, rounded
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.events import Event, Note, RunFinished
from tests.app.gates import Gate
from tests.app.scripted import SHORT, Scripted, script
from tests.app.serving import created, wait_until


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(gate: Gate, clock: Clock) -> Iterator[Registry]:
    registry = Registry(gate.opener, capacity=1, waiting=4, grace_seconds=90.0, idle_seconds=300.0, clock=clock)
    yield registry
    gate.open.set()
    registry.close()


def begin(registry: Registry, seed: int, token: str = "", lane: str = "") -> LiveRun:
    return registry.start(
        Plan.alone(SHORT.model_copy(update={"seed": seed})), registry.visitor(token), paused=False, lane=lane
    )


def test_a_double_click_is_one_run(registry: Registry, clock: Clock) -> None:
    first = begin(registry, 0)
    assert begin(registry, 0, first.owner) is first
    assert begin(registry, 1, first.owner) is not first
    clock.now += DOUBLE_SECONDS
    second = begin(registry, 0, first.owner)
    clock.now += DOUBLE_SECONDS
    assert begin(registry, 0, first.owner) is not second


def test_nobody_is_charged_for_a_queue_that_is_full(registry: Registry) -> None:
    runs = [begin(registry, seed) for seed in range(5)]  # one runs, four wait
    running = runs[0]
    with pytest.raises(QueueFull):
        begin(registry, 9)
    with pytest.raises(QueueFull):
        begin(registry, 9, running.owner)
    assert registry.counts() == {"running": 1, "waiting": 4, "capacity": 1, "lost": 0}
    assert running.state == "running"


def test_one_address_with_many_tokens_gets_one_turn_in_each_round(registry: Registry) -> None:
    running = begin(registry, 0, lane="school")
    hogs = [begin(registry, 10 + number, lane="hog") for number in range(2)]
    other = begin(registry, 20, lane="elsewhere")
    assert [run.refresh().condition.ahead for run in (hogs[0], other, hogs[1])] == [1, 2, 3]
    registry.command(running.id, running.owner, "stop")
    wait_until(lambda: hogs[0].state == "running")
    assert [run.refresh().condition.ahead for run in (other, hogs[1])] == [1, 2]


def test_who_closes_the_page_waits_no_longer_within_five_seconds(registry: Registry, clock: Clock) -> None:
    runs = [begin(registry, seed) for seed in range(3)]
    registry.command(runs[1].id, runs[1].owner, "leave")
    assert runs[2].refresh().condition.ahead == 2
    clock.now += LEAVE_SECONDS
    registry.sweep()
    assert runs[2].refresh().condition.ahead == 1
    assert registry.counts()["waiting"] == 1


def test_a_page_that_is_only_reloaded_keeps_its_turn(registry: Registry, clock: Clock) -> None:
    runs = [begin(registry, seed) for seed in range(3)]
    registry.command(runs[1].id, runs[1].owner, "leave")
    clock.now += LEAVE_SECONDS - 1
    registry.look(runs[1].id)
    clock.now += 10
    registry.sweep()
    assert [run.refresh().condition.ahead for run in runs[1:]] == [1, 2]


def test_who_comes_back_late_waits_again_at_the_end(registry: Registry, clock: Clock) -> None:
    runs = [begin(registry, seed) for seed in range(3)]
    registry.command(runs[1].id, runs[1].owner, "leave")
    clock.now += 2 * LEAVE_SECONDS
    registry.sweep()
    assert registry.look(runs[1].id).state == "queued"
    assert [run.refresh().condition.ahead for run in runs[1:]] == [2, 1]


def test_who_never_comes_back_is_forgotten_after_the_grace(registry: Registry, clock: Clock) -> None:
    runs = [begin(registry, seed) for seed in range(2)]
    registry.command(runs[1].id, runs[1].owner, "leave")
    for _ in range(3):
        clock.now += 40
        registry.look(runs[0].id)
        registry.sweep()
    assert [run.state for run in runs] == ["running", "stopped"]


def test_leaving_a_run_that_runs_changes_nothing(registry: Registry, clock: Clock) -> None:
    run = begin(registry, 0)
    registry.command(run.id, run.owner, "leave")
    clock.now += 2 * LEAVE_SECONDS
    registry.sweep()
    assert run.state == "running"


def test_a_run_that_stands_still_gives_way_only_where_somebody_waits(
    registry: Registry, clock: Clock, gate: Gate
) -> None:
    still = begin(registry, 0)
    wait_until(lambda: gate.begun == [0])
    registry.command(still.id, still.owner, "pause")
    registry.sweep()
    clock.now += 1000
    registry.look(still.id)
    registry.sweep()
    assert still.state == "paused"
    waiting = begin(registry, 1)
    registry.sweep()
    wait_until(lambda: waiting.state == "running")
    wait_until(lambda: still.state == "stopped")
    assert "stood still" in " ".join(still.refresh().notes)


def test_a_wait_is_told_once_something_tells_it(registry: Registry, clock: Clock, gate: Gate) -> None:
    first = begin(registry, 0)
    second = begin(registry, 1)
    assert second.refresh().condition.wait is None
    gate.open.set()
    wait_until(lambda: second.ended)  # both took no time by this clock
    gate.open.clear()
    third, fourth = begin(registry, 2), begin(registry, 3)
    wait_until(lambda: third.state == "running")
    assert fourth.refresh().condition.wait == 5.0
    assert first.refresh().condition.wait is None


def test_the_estimate_fills_the_places_one_after_the_other() -> None:
    assert estimate([10.0, 30.0], [20.0], 0) == 10.0
    assert estimate([10.0, 30.0], [20.0], 1) == 30.0
    assert estimate([10.0, 30.0], [20.0], 2) == 30.0
    assert estimate([10.0, 30.0], [20.0], 3) == 50.0
    assert estimate([None, 30.0], [20.0], 0) == 20.0
    assert estimate([None, 30.0], [], 0) == 30.0
    assert estimate([None], [], 0) is None
    assert [rounded(seconds) for seconds in (0.0, 7.0, 44.0, 100.0, 1000.0, None)] == [5, 5, 45, 90, 1020, None]


class Hanging:
    """Gives one event; the second does not come before the test says so."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def opener(self, plan: Plan) -> Scripted:
        config: Config = plan.configs[0]
        return Scripted(lambda: self._events(config) if config.seed == 0 else script(config))

    def _events(self, config: Config) -> Iterator[Event]:
        events = script(config)
        yield next(events)
        self.let_go.wait(30)
        yield from events


def test_a_run_that_hangs_fails_for_its_viewers_and_its_place_is_counted_as_lost() -> None:
    hanging = Hanging()
    registry = Registry(hanging.opener, capacity=2)
    try:
        stuck = begin(registry, 0)
        wait_until(lambda: stuck.refresh().started is not None)
        registry.sweep()
        assert stuck.state == "running"
        registry.stuck_after(0.01)
        wait_until(lambda: stuck.session.stuck_seconds > 0.01)
        registry.sweep()
        condition = stuck.refresh().condition
        assert condition.state == "failed"
        assert condition.error == "The run did not answer for 0 s and was given up; start it anew."
        assert registry.counts() == {"running": 0, "waiting": 0, "capacity": 2, "lost": 1}
        with pytest.raises(ConfigError, match="not in memory"):
            registry.redraws(stuck.id, stuck.owner, 0, 0, 4)
        registry.stuck_after(60.0)
        others = [begin(registry, seed) for seed in (1, 2)]
        wait_until(lambda: all(run.state == "finished" for run in others))
        hanging.let_go.set()
        wait_until(lambda: registry.counts()["lost"] == 0)
        assert stuck.state == "failed"  # what the thread still did counts for nothing
        assert stuck.refresh().rounds_done == 0
    finally:
        hanging.let_go.set()
        registry.close()


def test_stop_against_finish_leaves_one_end() -> None:
    """Whichever comes first, a viewer hears of exactly one end, and the state agrees with it."""
    registry = Registry(lambda plan: Scripted(lambda: script(plan.configs[0])), capacity=4)
    try:
        for seed in range(120):
            run = begin(registry, seed)
            inbox = run.session.subscribe(10_000)
            racers = [
                threading.Thread(target=registry.command, args=(run.id, run.owner, "stop")) for _ in range(seed % 3 + 1)
            ]
            for racer in racers:
                racer.start()
            for racer in racers:
                racer.join()
            assert run.session.join(10)
            ends = [event.reason for event in inbox.drain() if isinstance(event, RunFinished)]
            assert run.state == {"rounds done": "finished", "stopped": "stopped"}[ends[0]] if ends else "stopped"
            assert len(ends) <= 1
            state = run.state
            registry.command(run.id, run.owner, "stop")
            assert run.state == state
        wait_until(lambda: registry.counts()["running"] == 0)
    finally:
        registry.close()


def test_a_reason_for_a_stop_is_told_before_it(gate: Gate) -> None:
    registry = Registry(gate.opener)
    try:
        run = begin(registry, 0)
        wait_until(lambda: run.refresh().started is not None)
        run.session.stop("The house is closing.")
        wait_until(lambda: run.ended)
        last = [event for event in run.session.snapshot() if isinstance(event, Note | RunFinished)]
        assert [type(event) for event in last] == [Note, RunFinished]
    finally:
        gate.open.set()
        registry.close()


def test_visitors_behind_one_address_share_their_turns_through_every_door(gate: Gate) -> None:
    """Starts by the public endpoint, by Gradio's queue, which works in tasks of its own, and by the page's route."""
    application = created(gate.opener, Environment(capacity=1, proxies=LOOPBACK))
    with TestClient(application, base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        registry: Registry = application.state.registry
        lanes: list[str] = []
        whole = registry.start
        registry.start = lambda *given, lane="", **named: lanes.append(lane) or whole(*given, lane=lane, **named)  # type: ignore[method-assign,func-returns-value,assignment]
        for address in ("8.8.8.8", "9.9.9.9"):  # as a proxy on this machine tells it
            client.headers["X-Forwarded-For"] = address
            start = {"data": ["digits", "nayer", 0, "lte", 1, {}, ""]}
            public = client.post("/gradio_api/run/start", json=start)
            queued = client.post("/gradio_api/call/start", json=start)
            client.get(f"/gradio_api/call/start/{queued.json()['event_id']}")  # until it is done
            own = client.post("/command/start_lab", json=["reset", "digits", 0, 2, 1, [], ""])
            assert (public.status_code, own.status_code) == (200, 200), (public.text, own.text)
        assert lanes == ["8.8.8.8"] * 3 + ["9.9.9.9"] * 3
        gate.open.set()
