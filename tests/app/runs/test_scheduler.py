"""Laws of waiting: who left waits no more, who stands still gives way, a hanging run costs its place and no other."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.lab_serializer import lab_payload
from app.content.messages import GAVE_WAY_QUEUE
from app.environment import LOOPBACK, Environment
from app.fairness.fair_queue import QueueFull
from app.runs.live_run import LiveRun
from app.runs.manager import DOUBLE_SECONDS, RunManager
from app.runs.plan import Plan
from app.runs.scheduler import LEAVE_SECONDS, SHORTEST_TURN
from app.runs.wait_estimate import estimate, rounded
from nayer.common.stopwatch import AwakeClock
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.events import Event, GeneratorStep, Note, RunFinished, RunStarted
from tests.support.clocks import Clock
from tests.support.commanding import command
from tests.support.gates import Gate
from tests.support.scripted import SHORT, Scripted, script
from tests.support.serving import created, wait_until

IDLE, TURN, SWEEP = 60.0, 900.0, 10.0


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def registry(gate: Gate, clock: Clock) -> Iterator[RunManager]:
    registry = RunManager(
        gate.opener, capacity=1, waiting=4, grace_seconds=90.0, idle_seconds=IDLE, turn_seconds=TURN, clock=clock
    )
    registry.stuck_after(math.inf)  # this clock jumps while a run is at work
    yield registry
    gate.open.set()
    registry.close()


def begin(registry: RunManager, seed: int, token: str = "", lane: str = "") -> LiveRun:
    return registry.start(
        Plan.alone(SHORT.model_copy(update={"seed": seed})), registry.visitor(token), paused=False, lane=lane
    )


def stand_still(run: LiveRun) -> None:
    """Returns once a run that was told to stand still does."""
    run.ask(lambda source: None)


def at_work(run: LiveRun) -> None:
    """Returns once a run is in the middle of a step, or has ended."""
    wait_until(lambda: run.ended or run.session._working_since is not None)


def pass_time(registry: RunManager, clock: Clock, seconds: float, *runs: LiveRun) -> None:
    """With a sweep now and then, while somebody looks at `runs`."""
    for _ in range(round(seconds / SWEEP)):
        for run in runs:
            if run.state == "running" and not run.session.is_held:
                at_work(run)
        clock.now += SWEEP
        for run in runs:
            registry.look(run.id)
        registry.sweep()


def test_a_double_click_is_one_run(registry: RunManager, clock: Clock) -> None:
    first = begin(registry, 0)
    assert begin(registry, 0, first.owner) is first
    assert begin(registry, 1, first.owner) is not first
    clock.now += DOUBLE_SECONDS
    second = begin(registry, 0, first.owner)
    clock.now += DOUBLE_SECONDS
    assert begin(registry, 0, first.owner) is not second


def test_nobody_is_charged_for_a_queue_that_is_full(registry: RunManager) -> None:
    runs = [begin(registry, seed) for seed in range(5)]  # one runs, four wait
    running = runs[0]
    with pytest.raises(QueueFull):
        begin(registry, 9)
    with pytest.raises(QueueFull):
        begin(registry, 9, running.owner)
    assert registry.counts() == {"running": 1, "waiting": 4, "capacity": 1, "lost": 0}
    assert running.state == "running"


def test_two_addresses_that_fill_the_queue_keep_nobody_out(registry: RunManager) -> None:
    begin(registry, 0, lane="somebody")  # it runs
    hogs = [begin(registry, number, lane=f"hog {number % 2}") for number in range(1, 5)]
    guest = begin(registry, 9, lane="guest")
    assert [run.refresh().condition.ahead for run in (*hogs[:2], guest)] == [1, 2, 3]
    assert sorted(run.state for run in hogs) == ["queued", "queued", "queued", "stopped"]
    [gone] = [run for run in hogs if run.state == "stopped"]
    assert gone in hogs[2:]
    assert GAVE_WAY_QUEUE in gone.refresh().notes
    with pytest.raises(QueueFull):
        begin(registry, 10, lane="hog 0")


def test_one_address_with_many_tokens_gets_one_turn_in_each_round(registry: RunManager) -> None:
    running = begin(registry, 0, lane="school")
    hogs = [begin(registry, 10 + number, lane="hog") for number in range(2)]
    other = begin(registry, 20, lane="elsewhere")
    assert [run.refresh().condition.ahead for run in (hogs[0], other, hogs[1])] == [1, 2, 3]
    command(registry, running.id, running.owner, "stop")
    wait_until(lambda: hogs[0].state == "running")
    assert [run.refresh().condition.ahead for run in (other, hogs[1])] == [1, 2]


def test_who_closes_the_page_waits_no_longer_within_five_seconds(registry: RunManager, clock: Clock) -> None:
    runs = [begin(registry, seed) for seed in range(3)]
    command(registry, runs[1].id, runs[1].owner, "leave")
    assert runs[2].refresh().condition.ahead == 2
    clock.now += LEAVE_SECONDS
    registry.sweep()
    assert runs[2].refresh().condition.ahead == 1
    assert registry.counts()["waiting"] == 1


def test_a_page_that_is_only_reloaded_keeps_its_turn(registry: RunManager, clock: Clock) -> None:
    runs = [begin(registry, seed) for seed in range(3)]
    command(registry, runs[1].id, runs[1].owner, "leave")
    clock.now += LEAVE_SECONDS - 1
    registry.look(runs[1].id)
    clock.now += 10
    registry.sweep()
    assert [run.refresh().condition.ahead for run in runs[1:]] == [1, 2]


def test_who_comes_back_late_waits_again_at_the_end(registry: RunManager, clock: Clock) -> None:
    runs = [begin(registry, seed) for seed in range(3)]
    command(registry, runs[1].id, runs[1].owner, "leave")
    clock.now += 2 * LEAVE_SECONDS
    registry.sweep()
    assert registry.look(runs[1].id).state == "queued"
    assert [run.refresh().condition.ahead for run in runs[1:]] == [2, 1]


def test_who_never_comes_back_is_forgotten_after_the_grace(registry: RunManager, clock: Clock) -> None:
    runs = [begin(registry, seed) for seed in range(2)]
    command(registry, runs[1].id, runs[1].owner, "leave")
    for _ in range(3):
        clock.now += 40
        registry.look(runs[0].id)
        registry.sweep()
    assert [run.state for run in runs] == ["running", "stopped"]


def test_leaving_a_run_that_runs_changes_nothing(registry: RunManager, clock: Clock) -> None:
    run = begin(registry, 0)
    command(registry, run.id, run.owner, "leave")
    clock.now += 2 * LEAVE_SECONDS
    registry.sweep()
    assert run.state == "running"


def test_a_run_that_stands_still_gives_way_only_where_somebody_waits(
    registry: RunManager, clock: Clock, gate: Gate
) -> None:
    still = begin(registry, 0)
    wait_until(lambda: gate.begun == [0])
    command(registry, still.id, still.owner, "pause")
    stand_still(still)
    pass_time(registry, clock, 300.0, still)  # within its turn, also with one that waits
    assert still.state == "paused"
    assert still.refresh().condition.kept == ""
    waiting = begin(registry, 1)
    assert waiting.refresh().condition.wait == IDLE
    pass_time(registry, clock, IDLE - SWEEP, still, waiting)
    assert still.state == "paused"
    assert "It ends in at most 15 s" in still.refresh().condition.kept
    pass_time(registry, clock, SWEEP, still, waiting)
    wait_until(lambda: waiting.state == "running")
    assert still.state == "stopped"
    assert "was paused or slowed down while others waited" in " ".join(still.refresh().notes)


def test_pausing_now_and_then_adds_up(registry: RunManager, clock: Clock) -> None:
    run, waiting = begin(registry, 0), begin(registry, 1)
    pauses = 0
    while run.state == "running":
        pass_time(registry, clock, SWEEP, run, waiting)
        command(registry, run.id, run.owner, "pause")
        stand_still(run)
        pass_time(registry, clock, SWEEP, run, waiting)
        command(registry, run.id, run.owner, "resume")
        pauses += 1
    assert abs(pauses - IDLE / SWEEP) <= 1
    wait_until(lambda: waiting.state == "running")


def endless(plan: Plan) -> Scripted:
    """Steps of the generator, without a pause of their own."""
    steps = [event for event in script(plan.configs[0]) if isinstance(event, RunStarted | GeneratorStep)]
    return Scripted(lambda: itertools.chain(steps, itertools.repeat(steps[-1])))


@pytest.mark.parametrize("slowed", ["pace", "step"])
def test_slow_motion_and_steps_by_hand_hold_a_place_no_longer_than_a_pause(clock: Clock, slowed: str) -> None:
    registry = RunManager(endless, capacity=1, idle_seconds=IDLE, clock=clock)
    try:
        run = begin(registry, 0)
        command(registry, run.id, run.owner, slowed, 30.0 if slowed == "pace" else "generator")
        waiting = begin(registry, 1)
        passed = 0.0
        while not run.ended:
            stand_still(run)
            if slowed == "step" and run.state == "paused":
                command(registry, run.id, run.owner, "step", "generator")
            pass_time(registry, clock, SWEEP, run, waiting)
            passed += SWEEP
            assert passed <= 10 * IDLE
        assert passed >= IDLE
        wait_until(lambda: waiting.state == "running")
    finally:
        registry.close()


def test_a_run_at_full_speed_gives_way_after_its_turn_and_only_where_somebody_waits(
    registry: RunManager, clock: Clock
) -> None:
    run = begin(registry, 0)
    pass_time(registry, clock, 3 * TURN, run)
    assert run.state == "running"
    second = begin(registry, 1)
    assert second.refresh().condition.wait == IDLE
    pass_time(registry, clock, IDLE - SWEEP, run, second)
    assert run.state == "running"
    assert "has used its time" in run.refresh().condition.kept
    pass_time(registry, clock, SWEEP, run, second)
    wait_until(lambda: second.state == "running")
    assert "used its time while others waited" in " ".join(run.refresh().notes)
    third = begin(registry, 2)
    pass_time(registry, clock, TURN / 2, second, third)  # one waits for the one place
    assert second.state == "running"
    pass_time(registry, clock, IDLE, second, third)
    wait_until(lambda: third.state == "running")


def test_the_places_of_a_class_rotate_faster_the_more_wait_and_no_turn_is_shorter_than_two_minutes(
    gate: Gate, clock: Clock
) -> None:
    class_ = RunManager(gate.opener, capacity=2, waiting=100, idle_seconds=IDLE, turn_seconds=TURN, clock=clock)
    class_.stuck_after(math.inf)
    try:
        runs = [begin(class_, seed) for seed in range(30)]
        at_work(runs[0])
        assert class_._scheduler._turn() == SHORTEST_TURN  # 900 s among 1 + 14 would be 60 s
        pass_time(class_, clock, SHORTEST_TURN + IDLE - SWEEP, *runs)
        assert [run.state for run in runs[:2]] == ["running", "running"]
        pass_time(class_, clock, SWEEP, *runs)
        wait_until(lambda: [run.state for run in runs[2:4]] == ["running", "running"])
        assert all("used its time while others waited" in " ".join(run.refresh().notes) for run in runs[:2])
        for run in runs[6:]:
            class_.stop(run.id, run.owner)
        assert class_._scheduler._turn() == TURN / 2  # two wait for two places
        for run in runs[4:6]:
            class_.stop(run.id, run.owner)
        assert class_._scheduler._turn() == TURN
    finally:
        gate.open.set()
        class_.close()


def test_a_lab_and_a_lesson_are_told_that_their_run_will_give_way(registry: RunManager, clock: Clock) -> None:
    run = begin(registry, 0)
    pass_time(registry, clock, 3 * TURN, run)
    alone = lab_payload(run, [0])
    assert alone is not None
    assert alone["kept"] == ""
    second = begin(registry, 1)
    pass_time(registry, clock, IDLE - SWEEP, run, second)
    told = lab_payload(run, [0])
    assert told is not None
    assert "has used its time" in told["kept"]
    assert told["kept"] == run.refresh().condition.kept


def test_no_more_runs_give_way_than_others_wait(gate: Gate, clock: Clock) -> None:
    registry = RunManager(gate.opener, capacity=2, idle_seconds=IDLE, clock=clock)
    try:
        runs = [begin(registry, seed) for seed in range(2)]
        for run in runs:
            command(registry, run.id, run.owner, "pause")
            stand_still(run)
        waiting = begin(registry, 2)
        pass_time(registry, clock, IDLE + SWEEP, *runs, waiting)
        wait_until(lambda: waiting.state == "running")
        pass_time(registry, clock, IDLE, *runs, waiting)
        assert sorted(run.state for run in runs) == ["paused", "stopped"]
    finally:
        gate.open.set()
        registry.close()


@pytest.mark.parametrize("told", [(), ("pause",), ("pace", 30.0)])
def test_a_wait_is_known_wherever_turns_are_bounded(registry: RunManager, clock: Clock, told: tuple[Any, ...]) -> None:
    run = begin(registry, 0)
    if told:
        command(registry, run.id, run.owner, *told)
    waiting = [begin(registry, 1), begin(registry, 2)]
    waits = [one.refresh().condition.wait for one in waiting]
    turn = TURN / 3 + IDLE  # two wait for one place
    assert waits == ([turn, 2 * turn] if not told else [60.0, 120.0])
    assert registry.waits()["now"] is not None


def test_one_address_with_two_tokens_does_not_keep_both_places_while_another_waits(gate: Gate) -> None:
    registry = RunManager(gate.opener, capacity=2)
    try:
        mine = [begin(registry, seed, lane="hog") for seed in range(2)]
        wait_until(lambda: sorted(gate.begun) == [0, 1])
        other = begin(registry, 9, lane="other")
        again = [begin(registry, 2 + number, run.owner, lane="hog") for number, run in enumerate(mine)]
        wait_until(lambda: other.state == "running")
        wait_until(lambda: sorted(run.state for run in again) == ["queued", "running"])
    finally:
        gate.open.set()
        registry.close()


def test_what_the_process_itself_slept_through_counts_for_nothing(gate: Gate) -> None:
    """As after SIGSTOP: neither the grace, nor standing still, nor leaving the queue, nor an event that is late."""
    now = Clock(1000.0)
    awake = AwakeClock(5.0, now)
    registry = RunManager(gate.opener, capacity=1, idle_seconds=IDLE, clock=awake)
    try:
        still, waiting, leaving = (begin(registry, seed) for seed in range(3))
        command(registry, still.id, still.owner, "pause")
        stand_still(still)
        command(registry, leaving.id, leaving.owner, "leave")
        before = awake()
        now.now += 1000.0
        for _ in range(2):
            registry.sweep()
        assert [run.state for run in (still, waiting, leaving)] == ["paused", "queued", "queued"]
        assert registry.counts()["waiting"] == 2
        assert (awake(), still.session.stuck_seconds) == (before, 0.0)
    finally:
        gate.open.set()
        registry.close()


def test_a_wait_is_told_once_something_tells_it(clock: Clock, gate: Gate) -> None:
    registry = RunManager(gate.opener, capacity=1, clock=clock)  # turns without end, as on one's own machine
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
    gate.open.set()
    registry.close()


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
    registry = RunManager(hanging.opener, capacity=2)
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
        assert condition.error == "The run did not answer for 0 s and was stopped; start it again."
        assert registry.counts() == {"running": 0, "waiting": 0, "capacity": 2, "lost": 1}
        with pytest.raises(ConfigError, match="no longer in memory"):
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
    registry = RunManager(lambda plan: Scripted(lambda: script(plan.configs[0])), capacity=4)
    try:
        for seed in range(120):
            run = begin(registry, seed)
            inbox = run.session.subscribe(10_000)
            racers = [threading.Thread(target=registry.stop, args=(run.id, run.owner)) for _ in range(seed % 3 + 1)]
            for racer in racers:
                racer.start()
            for racer in racers:
                racer.join()
            assert run.session.join(10)
            ends = [event.reason for event in inbox.drain() if isinstance(event, RunFinished)]
            assert run.state == {"rounds done": "finished", "stopped": "stopped"}[ends[0]] if ends else "stopped"
            assert len(ends) <= 1
            state = run.state
            command(registry, run.id, run.owner, "stop")
            assert run.state == state
        wait_until(lambda: registry.counts()["running"] == 0)
    finally:
        registry.close()


def test_a_reason_for_a_stop_is_told_before_it(gate: Gate) -> None:
    registry = RunManager(gate.opener)
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
        registry: RunManager = application.state.registry
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
