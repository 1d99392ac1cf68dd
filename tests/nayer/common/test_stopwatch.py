"""Laws of the clocks: a gap of the process's own counts for nothing, and any thread may read a stopwatch."""

import threading

import pytest

from nayer.common.stopwatch import AwakeClock, Stopped, Stopwatch


class Hand:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


def test_a_gap_that_is_longer_than_it_can_be_counts_for_nothing():
    hand = Hand()
    awake = AwakeClock(10.0, hand)
    assert awake() == 0.0
    for gap, told in [(3.0, 3.0), (10.0, 13.0), (100.0, 13.0), (1e6, 13.0), (2.0, 15.0), (0.0, 15.0)]:
        hand.now += gap
        assert awake() == told


def test_who_reads_first_after_a_gap_makes_no_difference():
    hand = Hand()
    awake = AwakeClock(10.0, hand)
    hand.now += 100.0
    readers = [threading.Thread(target=awake) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    hand.now += 4.0
    assert awake() == 4.0


def test_a_limit_is_reached_by_the_work_alone_and_none_never_is():
    hand = Hand()
    watch = Stopwatch(now=hand)
    hand.now += 1000.0
    assert not watch.reached(5.0)
    with watch:
        hand.now += 4.0
        assert not watch.reached(5.0)
        hand.now += 1.0
        assert watch.reached(5.0)
        assert not watch.reached(0.0)
    hand.now += 1000.0
    assert (watch.reached(5.0), watch.reached(6.0)) == (True, False)
    watch.forget()
    assert not watch.reached(5.0)


@pytest.mark.parametrize("limit", [0.0, 5.0])
def test_work_that_was_told_to_stop_hears_of_it_with_a_limit_and_without(limit):
    asked = threading.Event()
    watch = Stopwatch(stopped=asked.is_set)
    assert not watch.reached(limit)
    asked.set()
    with pytest.raises(Stopped):
        watch.reached(limit)


def test_a_stopwatch_read_from_another_thread_never_counts_a_block_twice():
    hand = Hand()
    watch, over, read = Stopwatch(now=hand), threading.Event(), []

    def look():
        while not over.is_set():
            read.append(watch.seconds())

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(20_000):
        with watch:
            hand.now += 1.0
    over.set()
    reader.join()
    assert read == sorted(read)
    assert watch.seconds() == 20_000.0
