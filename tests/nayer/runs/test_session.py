"""A session changes when things happen, never what happens; and it always ends."""

import threading
import time

import pytest

from nayer.common.stopwatch import Stopped
from nayer.errors import ConfigError
from nayer.events import (
    EvaluatedAtStart,
    GeneratorStep,
    LayerRedrawn,
    RoundFinished,
    RunFailed,
    RunFinished,
    RunStarted,
    StudentStep,
)
from nayer.runs.broadcast import Subscriber
from nayer.runs.session import Session
from nayer.runs.slow_motion import STEPS, waits_at, waits_in_round
from tests.support.scripted import Scripted
from tests.support.tiny import all_same, tiny_config, tiny_run, tiny_task


def source() -> Scripted:
    return Scripted(lambda: tiny_run(tiny_task()))


def wait_for(session: Session, *states: str) -> None:
    until = time.monotonic() + 20
    while session.state not in states:
        assert time.monotonic() < until, f"still {session.state}"
        time.sleep(0.005)


def everything(session: Session, inbox: Subscriber) -> list:
    assert session.join(20)
    return inbox.drain()


def test_pausing_and_stepping_do_not_change_the_result():
    session = Session(source)
    inbox = session.subscribe(capacity=10_000)
    session.start(paused=True)
    for kind, event in [("generator", GeneratorStep), ("redraw", LayerRedrawn), ("student", StudentStep)] * 2:
        session.step(kind)
        wait_for(session, "paused")
        last = session.snapshot()[-1]
        assert isinstance(last, event)
    session.pause()
    session.resume()
    assert all_same(everything(session, inbox), list(source().events()))
    assert session.state == "finished"


def test_a_step_of_a_round_ends_with_the_round():
    session = Session(source)
    session.start(paused=True)
    session.step("round")
    wait_for(session, "paused")
    assert isinstance(session.snapshot()[-1], RoundFinished)
    session.stop()
    assert session.join(20)
    assert session.state == "stopped"


def test_stop_ends_a_run_in_every_state_and_twice():
    never_began = Session(source)
    never_began.stop()
    assert never_began.state == "stopped"
    assert never_began.join(1)
    slow = Session(source)
    inbox = slow.subscribe(10_000)
    slow.set_pace(100.0)
    slow.start()
    slow.stop()
    slow.stop()
    events = everything(slow, inbox)
    assert slow.state == "stopped"
    assert isinstance(events[-1], RunFinished)
    assert events[-1].reason == "stopped"
    slow.resume()
    slow.step("round")
    assert slow.state == "stopped"


def test_slow_motion_can_be_left_at_once():
    session = Session(source)
    session.set_pace(100.0)
    session.start()
    session.set_pace(0.0)
    assert session.join(20)
    assert session.state == "finished"


def test_a_failure_is_one_sentence_and_frees_the_session():
    ended = threading.Event()

    def broken():
        raise ConfigError("seed must be a whole number from 0 to 9; -1 was given.")

    session = Session(broken, on_end=lambda _: ended.set())
    inbox = session.subscribe()
    session.start()
    [event] = everything(session, inbox)
    assert isinstance(event, RunFailed)
    assert event.message == session.error == "seed must be a whole number from 0 to 9; -1 was given."
    assert ended.wait(1)
    assert session.state == "failed"


@pytest.mark.parametrize(
    ("error", "says"), [(ValueError("secret path"), "unexpected error"), (MemoryError(), "memory")]
)
def test_an_unexpected_failure_tells_no_details_and_other_sessions_go_on(error, says):
    def broken():
        yield from list(source().events())[:5]
        raise error

    canary, session = Session(source), Session(lambda: Scripted(broken))
    inbox = session.subscribe()
    session.start()
    canary.start()
    last = everything(session, inbox)[-1]
    assert isinstance(last, RunFailed)
    assert says in last.message
    assert "secret" not in last.message
    assert canary.join(20)
    assert canary.state == "finished"


def test_a_run_nobody_watches_ends_after_its_grace():
    session = Session(source, grace_seconds=0.05)
    session.start(paused=True)
    assert session.join(20)
    assert session.state == "stopped"


def test_a_pause_and_slow_motion_count_as_standing_still_and_work_does_not():
    now = [0.0]
    busy, free = threading.Event(), threading.Event()

    def events():
        first, *rest = source().events()
        yield first
        busy.set()
        assert free.wait(20)
        yield from rest

    session = Session(lambda: Scripted(events), clock=lambda: now[0])
    session.start(paused=True)
    assert session.ask(lambda run: session.is_held).result(20)
    now[0] += 7.0
    session.resume()
    assert busy.wait(20)
    now[0] += 100.0
    assert (session.standing_seconds, session.stuck_seconds, session.is_held) == (7.0, 100.0, False)
    session.set_pace(100.0)
    free.set()
    wait_for_linger(session)
    now[0] += 3.0
    assert (session.standing_seconds, session.stuck_seconds, session.is_held) == (10.0, 0.0, True)
    session.set_pace(0.0)
    assert session.join(20)
    assert session.standing_seconds == 10.0


def wait_for_linger(session: Session) -> None:
    """Until a step of the generator is lingered on."""
    until = time.monotonic() + 20
    while not isinstance(session.snapshot()[-1], LayerRedrawn) or session._standing._spent[1] is None:
        assert time.monotonic() < until
        time.sleep(0.005)


class Unending(Scripted):
    """In the midst of a step that has no end; it looks between them whether it is to stop, as a lab does."""

    def __init__(self):
        self.asked, self.busy = threading.Event(), threading.Event()
        super().__init__(self._events)

    def stop(self):
        self.asked.set()

    def _events(self):
        yield next(source().events())
        self.busy.set()
        assert self.asked.wait(20)
        raise Stopped


@pytest.mark.parametrize("given_up", [False, True])
def test_a_stop_and_a_giving_up_reach_a_source_that_tells_of_no_event(given_up):
    unending = Unending()
    session = Session(lambda: unending)
    inbox = session.subscribe()
    session.start()
    assert unending.busy.wait(20)
    if given_up:
        session.give_up("It hangs.")
    else:
        session.stop("Others wait.")
    assert session.join(20)
    assert not session.is_stuck
    last = inbox.drain()[-1]
    assert isinstance(last, RunFailed if given_up else RunFinished)
    assert session.state == ("failed" if given_up else "stopped")


def test_a_full_inbox_drops_the_oldest_droppable_event_and_counts_it():
    events = list(source().events())
    inbox = Subscriber(capacity=12)
    for event in events:
        inbox.put(event)
    kept = inbox.drain()
    assert inbox.dropped == len(events) - len(kept) > 0
    rare = [event for event in events if not event.droppable]
    assert [event for event in kept if not event.droppable] == rare
    assert inbox.drain() == []


def test_a_late_joiner_starts_with_the_snapshot():
    session = Session(source)
    session.start()
    assert session.join(20)
    joined = session.subscribe().drain()
    assert all_same(joined, session.snapshot())
    assert isinstance(joined[0], RunStarted)
    assert isinstance(joined[-1], RunFinished)


def test_a_closed_inbox_stays_empty():
    session = Session(source)
    inbox = session.subscribe()
    inbox.close()
    session.start()
    assert session.join(20)
    assert inbox.drain() == []


def test_asking_happens_between_two_events_in_every_state_but_the_first():
    session = Session(source)
    with pytest.raises(ConfigError, match="no longer in memory"):
        session.ask(lambda run: run).result(1)
    session.start(paused=True)
    inbox = session.subscribe(10_000)
    worker = session.ask(lambda run: threading.current_thread().name).result(20)
    assert worker == "nayer-session"
    session.set_pace(100.0)
    session.resume()
    assert session.ask(lambda run: threading.current_thread().name).result(20) == "nayer-session"  # in slow motion
    session.set_pace(0.0)
    seen = [session.ask(lambda run: len(session.snapshot())).result(20) for _ in range(5)]
    assert seen == sorted(seen)
    events = everything(session, inbox)
    assert all_same(events, list(source().events()))
    assert session.ask(lambda run: threading.current_thread().name).result(1) != "nayer-session"
    session.release()
    with pytest.raises(ConfigError, match="no longer in memory"):
        session.ask(lambda run: run).result(1)


def test_a_question_that_fails_hurts_nobody_but_who_asked():
    session = Session(source)
    session.start(paused=True)
    with pytest.raises(ZeroDivisionError):
        session.ask(lambda run: 1 / 0).result(20)
    session.resume()
    assert session.join(20)
    assert session.state == "finished"


def test_a_question_that_ends_the_program_ends_neither_the_run_nor_the_wait_for_its_answer():
    """A panic of a library in Rust is no Exception, and SystemExit is none."""

    def panic(run):
        raise SystemExit(3)

    session = Session(source)
    session.start(paused=True)
    with pytest.raises(RuntimeError, match="SystemExit"):
        session.ask(panic).result(5)
    session.resume()
    assert session.join(20)
    assert session.state == "finished"


def test_questions_left_at_the_end_are_answered():
    session = Session(source)
    session.set_pace(0.01)
    session.start()
    answers = []
    while session.state == "running":
        answers.append(session.ask(lambda run: 1))
        time.sleep(0.001)
    assert [answer.result(20) for answer in answers] == [1] * len(answers)


def test_a_run_that_is_given_up_refuses_those_who_wait_and_those_who_come_at_once():
    busy, free = threading.Event(), threading.Event()

    def stuck():
        events = list(source().events())
        yield from events[:3]
        busy.set()
        assert free.wait(20)
        yield from events[3:]

    session = Session(lambda: Scripted(stuck))
    inbox = session.subscribe(10_000)
    session.start()
    assert busy.wait(20)
    waiting = session.ask(lambda run: 1)
    assert not waiting.done()
    session.give_up("It hangs.")
    for answer in (waiting, session.ask(lambda run: 1)):
        with pytest.raises(ConfigError, match="no longer in memory"):
            answer.result(0)
    assert session.is_stuck
    free.set()
    assert session.join(20)
    assert (session.state, session.error) == ("failed", "It hangs.")
    assert isinstance(inbox.drain()[-1], RunFailed)


def test_slow_motion_waits_at_the_parts_of_a_round_and_at_a_few_steps_of_a_phase():
    config = {"generator_steps": 24, "student_steps": 80, "rounds": 1, "warmup_rounds": 0, "pool_from_round": 0}
    events = list(tiny_run(tiny_task(tiny_config(**config))))
    waited = [event for event in events if waits_at(event) and not isinstance(event, EvaluatedAtStart)]
    steps = [event.step for event in waited if isinstance(event, StudentStep)]
    assert (steps[0], steps[-1]) == (0, 79)
    assert len(steps) <= STEPS + 1
    assert len(waited) == waits_in_round(config)
