"""However many look on, no more questions come than turns are given; one viewer alone waits what the page means."""

from __future__ import annotations

import heapq

import pytest

from app.api.poll_pacer import LONGEST, QUICK, TURNS, PollPacer
from tests.support.clocks import Clock
from tests.support.serving import at


def questions(viewers: int, pause: float, seconds: float, *, quick: bool = False) -> list[tuple[float, float]]:
    """When each question came and how long its viewer then waits. They all begin at once, and ask as they are told."""
    clock = Clock()
    rhythm = PollPacer(pause, clock)
    due = [0.0] * viewers
    asked = []
    while due[0] < seconds:
        clock.now = heapq.heappop(due)
        wait = rhythm.again(quick=quick)
        asked.append((clock.now, wait))
        heapq.heappush(due, clock.now + wait)
    return asked


@pytest.mark.parametrize(("quick", "pause"), [(False, 2.0), (True, QUICK)])
def test_one_viewer_alone_waits_what_is_meant(quick: bool, pause: float) -> None:
    assert {round(wait, 6) for _, wait in questions(1, 2.0, 60.0, quick=quick)} == {pause}


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("viewers", [2, 30, 50, 100])
def test_a_crowd_shares_its_turns_evenly(viewers: int, quick: bool) -> None:
    asked = questions(viewers, 1.0, 60.0, quick=quick)
    settled = [wait for when, wait in asked if when > 10.0]
    fair = max(QUICK if quick else 1.0, viewers / TURNS)
    assert max(settled) == pytest.approx(fair, abs=0.06)
    assert min(settled) == pytest.approx(fair, abs=0.06)
    for second in range(10, 59):
        assert sum(second <= when < second + 1 for when, _ in asked) <= TURNS + 1


def test_a_flood_keeps_nobody_away_for_long() -> None:
    clock = Clock()
    rhythm = PollPacer(1.0, clock)
    assert max(rhythm.again() for _ in range(10_000)) == LONGEST
    clock.now = LONGEST
    assert rhythm.again() == 1.0


def test_a_flood_of_one_address_puts_off_nobody_else() -> None:
    clock = Clock()
    rhythm = PollPacer(1.0, clock)
    for second in range(60):
        clock.now = float(second)
        with at("hog"):
            waits = [rhythm.again() for _ in range(1000)]
        assert max(waits) == LONGEST
        with at("other"):
            assert rhythm.again() == 1.0


def test_a_class_behind_one_address_takes_the_turns_that_a_few_others_leave() -> None:
    clock = Clock()
    rhythm = PollPacer(1.0, clock)
    due = [(0.0, number) for number in range(35)]  # thirty of one address, five of their own
    waits: dict[bool, list[float]] = {True: [], False: []}
    while due[0][0] < 60.0:
        clock.now, number = heapq.heappop(due)
        with at("class" if number < 30 else f"alone {number}"):
            wait = rhythm.again()
        waits[number < 30].append(wait)
        heapq.heappush(due, (clock.now + wait, number))
    assert max(waits[False]) == 1.0
    assert max(waits[True][100:]) < 30 / (TURNS - 6)
