"""Whoever watches misses nothing from when they joined, gets nothing twice, and begins with what they must have."""

import threading

import pytest

from nayer.events import Evaluated, Note, PolicyChanged, RunStarted
from nayer.runs.broadcast import EVALUATED, NOTED, Broadcaster, History, Subscriber
from tests.support.scripted import SHORT, script
from tests.support.tiny import all_same

EVENTS = list(script(SHORT))
ALL = 10_000  # more than there are events


def of(events):
    audience = Broadcaster()
    for event in events:
        audience.publish(event)
    return audience


@pytest.mark.parametrize("cut", [0, 1, 7, len(EVENTS) - 1, len(EVENTS)])
def test_who_joins_gets_the_snapshot_and_then_every_event(cut):
    audience = of(EVENTS[:cut])
    begun = audience.snapshot()
    inbox = audience.join(ALL)
    for event in EVENTS[cut:]:
        audience.publish(event)
    assert all_same(inbox.drain(), [*begun, *EVENTS[cut:]])


def test_what_is_recalled_is_for_those_who_join_later():
    audience = Broadcaster()
    early = audience.join(ALL)
    audience.restore_events(EVENTS[:9])
    late = audience.join(ALL)
    audience.publish(EVENTS[9])
    assert all_same(early.drain(), [EVENTS[9]])
    assert all_same(late.drain(), [*of(EVENTS[:9]).snapshot(), EVENTS[9]])


def test_here_is_where_the_newest_event_was():
    assert Broadcaster().position() == {"round": 0, "seconds": 0.0, "arm": 0}
    audience = of(
        [Note(round=3, seconds=1.5, arm=2, message="One."), Note(round=4, seconds=2.5, arm=1, message="Two.")]
    )
    assert audience.position() == {"round": 4, "seconds": 2.5, "arm": 1}


def test_an_event_that_comes_while_somebody_joins_is_told_once(monkeypatch):
    audience = of(EVENTS[:5])
    telling = threading.Thread(target=audience.publish, args=[EVENTS[5]])
    events = History.events

    def slowly(history):
        kept = events(history)
        telling.start()
        telling.join(0.05)  # it comes as late as it can: after the snapshot, before the inbox is known
        return kept

    monkeypatch.setattr(History, "events", slowly)
    inbox = audience.join(ALL)
    telling.join(10)
    monkeypatch.undo()
    assert all_same(inbox.drain(), [*of(EVENTS[:5]).snapshot(), EVENTS[5]])


def evaluated(round_):
    measured = {"accuracy": 0.1, "teacher_accuracy": 0.9, "agreement": 0.3, "images": 9, "measured_on": "test images"}
    return Evaluated(round=round_, seconds=float(round_), **measured)


def test_a_run_of_any_length_leaves_a_snapshot_of_bounded_length():
    audience = of(EVENTS[:1])
    for round_ in range(4 * EVALUATED):
        audience.publish(evaluated(round_))
        audience.publish(Note(round=round_, seconds=0.0, message="Again."))
        audience.publish(PolicyChanged(round=round_, seconds=0.0, changes={}))
    kept = audience.snapshot()
    rounds = [event.round for event in kept if isinstance(event, Evaluated)]
    assert isinstance(kept[0], RunStarted)
    assert rounds[0] == 0
    assert rounds[-EVALUATED // 2 :] == list(range(4 * EVALUATED - EVALUATED // 2, 4 * EVALUATED))
    assert len(rounds) <= EVALUATED
    assert len(kept) <= 1 + EVALUATED + NOTED


def test_who_joins_late_searches_among_no_events_for_one_to_drop(monkeypatch):
    searches = []
    monkeypatch.setattr(Subscriber, "_drop", lambda inbox, which: searches.append(which))
    audience = Broadcaster()
    for round_ in range(50):
        audience.publish(evaluated(round_))
    inbox = audience.join(capacity=4)
    audience.publish(evaluated(50))
    assert [event.round for event in inbox.drain()] == list(range(51))
    assert not searches
