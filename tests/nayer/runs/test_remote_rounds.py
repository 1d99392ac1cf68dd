"""A burst changes who makes some rounds, and nothing else; one that fails loses none of them."""

from collections.abc import Callable, Iterable, Iterator

import pytest

from nayer.errors import ConfigError
from nayer.events import DiversityMeasured, Event, Note, RoundFinished
from nayer.runs import remote_rounds
from nayer.runs.run import open_run
from nayer.runs.side_by_side import Lab
from tests.nayer.runs.test_side_by_side import quick
from tests.support.tiny import all_same

Made = Iterable[tuple[list[Event], bytes]]


def on_this_processor(checkpoint: bytes) -> Made:
    return remote_rounds.rounds(checkpoint, None, 600.0)


def events_with(rounds: Callable[[bytes], Made], *, after: int = 1) -> list[Event]:
    """A run of five rounds that asks for a burst once `after` of them are made."""
    lab = Lab([quick(rounds=5)])
    events = []
    for event in lab.events():
        events.append(event)
        if isinstance(event, RoundFinished) and event.round == after - 1:
            lab.burst(rounds)
    return events


def told(events: Iterable[Event]) -> list[object]:
    """All but the notes, and what a meter only knows with its memory of earlier rounds."""
    return [
        event.samples.within if isinstance(event, DiversityMeasured) else event
        for event in events
        if not isinstance(event, Note)
    ]


@pytest.mark.parametrize("after", [1, 4, 5])
def test_a_run_with_a_burst_is_the_run_without(after: int) -> None:
    straight = list(open_run(quick(rounds=5)).events())
    assert all_same(told(events_with(on_this_processor, after=after)), told(straight))


def test_as_many_rounds_are_made_as_fit_and_at_least_one() -> None:
    made = events_with(lambda checkpoint: remote_rounds.rounds(checkpoint, None, 0.0))
    assert [event.message for event in made if isinstance(event, Note)][-1].startswith(
        "The GPU computed 1 of the rounds"
    )


def test_what_a_burst_does_not_bring_is_made_here() -> None:
    def broken(checkpoint: bytes) -> Iterator[tuple[list[Event], bytes]]:
        for number, made in enumerate(on_this_processor(checkpoint)):
            if number == 2:
                raise RuntimeError("the GPU was taken away")
            yield made

    events = events_with(broken)
    notes = [event.message for event in events if isinstance(event, Note)]
    assert any("The GPU was not available, or not long enough" in message for message in notes)
    assert not any("taken away" in message for message in notes)  # what went wrong is for the log
    assert all_same(told(events), told(open_run(quick(rounds=5)).events()))


def test_arms_side_by_side_have_none() -> None:
    with pytest.raises(ConfigError, match="single run"):
        Lab([quick(), quick(seed=1)]).burst(on_this_processor)
