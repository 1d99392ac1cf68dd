"""Laws of the fair queue: nobody lost, nobody twice, each lane's first before any lane's second."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.fairness.fair_queue import FairQueue, QueueFull


def drained(queue: FairQueue[tuple[str, int]]) -> list[tuple[str, int]]:
    return [queue.pop() for _ in range(len(queue))]


def test_with_one_entry_a_lane_it_is_first_come_first_served() -> None:
    queue: FairQueue[str] = FairQueue(10)
    for name in "badc":
        queue.add(name, name)
    assert queue.order() == list("badc")
    assert [queue.pop() for _ in range(4)] == list("badc")


def test_whoever_brings_twenty_waits_behind_everybody_elses_first() -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue(100)
    for number in range(20):
        queue.add(("hog", number), "hog")
    began = [queue.pop(), queue.pop()]  # two places were free
    for number in range(10):
        queue.add((f"visitor {number}", 0), f"visitor {number}")
    served = began + drained(queue)
    assert [name for name, _ in served[2:12]] == [f"visitor {number}" for number in range(10)]
    assert served.index(("hog", 2)) == 12


def test_a_lane_that_comes_back_does_not_begin_before_the_present_turn() -> None:
    queue: FairQueue[str] = FairQueue(10)
    for name in ("a1", "b1"):
        queue.add(name, name[0])
    assert [queue.pop(), queue.pop()] == ["a1", "b1"]
    for name in ("a2", "b2", "c1"):
        queue.add(name, name[0])
    assert [queue.pop() for _ in range(3)] == ["c1", "a2", "b2"]


def test_who_leaves_lets_those_behind_in_the_lane_move_up() -> None:
    queue: FairQueue[str] = FairQueue(10)
    for name in ("a1", "a2", "a3", "b1"):
        queue.add(name, name[0])
    assert queue.order() == ["a1", "b1", "a2", "a3"]
    assert queue.remove("a1")
    assert queue.order() == ["a2", "b1", "a3"]
    assert not queue.remove("a1")


def test_a_full_queue_says_so_and_one_lane_cannot_fill_it() -> None:
    queue: FairQueue[int] = FairQueue(6)
    for number in range(3):
        queue.add(number, "hog")
    with pytest.raises(QueueFull, match=r"no more runs of your address \(waiting: 3\)"):
        queue.add(3, "hog")
    for number in range(3):
        queue.add(number, f"visitor {number}")
    with pytest.raises(QueueFull, match=r"The queue is full \(waiting runs: 6\)"):
        queue.add(9, "late")
    assert len(queue) == 6


@settings(deadline=None, max_examples=50)
@given(st.lists(st.one_of(st.sampled_from("abcd"), st.just("pop"), st.just("drop")), max_size=60))
def test_everybody_is_served_once_in_the_order_that_was_told(steps: list[str]) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue(1000)
    came: Counter[str] = Counter()
    inside: list[tuple[str, int]] = []
    for step in steps:
        if step == "pop":
            if inside:
                told = queue.order()
                assert queue.pop() == told[0]
                assert queue.order() == told[1:]
                inside.remove(told[0])
        elif step == "drop":
            if inside:
                assert queue.remove(inside.pop(0))
        else:
            entry = (step, came[step])
            came[step] += 1
            queue.add(entry, step)
            inside.append(entry)
        assert sorted(queue.order()) == sorted(inside)
        assert all(entry in queue for entry in inside)
    for name in "abcd":  # a lane's own are served as they came
        mine = [entry for entry in queue.order() if entry[0] == name]
        assert mine == sorted(mine)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=60))
def test_while_two_lanes_wait_neither_is_served_twice_more_than_the_other(names: list[str]) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue(1000)
    for number, name in enumerate(names):
        queue.add((name, number), name)
    left, served = Counter(names), Counter[str]()
    for name, _ in drained(queue):
        served[name] += 1
        left[name] -= 1
        waiting = [served[one] for one in left if left[one] > 0]
        assert not waiting or max(waiting) - min(waiting) <= 1


def test_in_a_full_queue_the_last_of_who_has_the_most_leaves_for_a_newcomer() -> None:
    queue: FairQueue[str] = FairQueue(6, each=3)
    for number in range(3):
        queue.add(f"a{number}", "a")
        queue.add(f"b{number}", "b")
    assert queue.heavier("a") == ""  # it would only take its own place
    assert queue.make_room("c") == "a2"
    queue.add("c0", "c")
    assert queue.make_room("d") == "b2"
    queue.add("d0", "d")
    assert queue.make_room("c") is None  # with two of its own it would have as many as the others
    with pytest.raises(QueueFull):
        queue.add("c1", "c")
    assert queue.order() == ["a0", "b0", "c0", "d0", "a1", "b1"]
