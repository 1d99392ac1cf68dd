"""Runs at work share the cores: all for one alone, equal parts in company, never less than one thread."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from nayer.events import RoundFinished
from nayer.runs.session import Session
from nayer.runs.thread_budget import KEPT, Cores
from tests.support.clocks import Clock


@pytest.fixture
def four_threads():
    """A process whose arithmetic may use four threads; put back at the end."""
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def in_a_thread(call):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def shared(cores):
    """What one step at work is told, and what its arithmetic then uses."""
    with cores.share() as threads:
        return threads, torch.get_num_threads()


@pytest.mark.usefixtures("four_threads")
def test_one_alone_has_all_and_each_in_company_its_part():
    clock = Clock()
    cores = Cores(clock)
    assert in_a_thread(lambda: shared(cores)) == (4, 4)
    clock.now = 2.0 * KEPT
    with cores.share() as mine:
        assert mine == 4
        with ThreadPoolExecutor(1) as second:
            assert second.submit(shared, cores).result() == (2, 2)
            with ThreadPoolExecutor(1) as third:
                assert third.submit(shared, cores).result() == (1, 1)  # 4 // 3
    assert shared(cores) == (1, 1)  # the others' places are kept for a moment
    clock.now = 4.0 * KEPT
    assert shared(cores) == (4, 4)


def test_nobody_gets_less_than_one_thread():
    cores = Cores()
    with cores.share():
        assert in_a_thread(lambda: shared(cores))[0] == 1


@pytest.mark.usefixtures("four_threads")
def test_two_sessions_take_half_each_and_who_stays_takes_all():
    clock = Clock()
    cores = Cores(clock)
    first, second = threading.Event(), threading.Event()
    seen = {"first": [], "second": []}

    class Source:
        def __init__(self, name, turns):
            self.name, self.turns = name, turns

        def events(self):
            for turn, begins in enumerate(self.turns):
                seen[self.name].append(torch.get_num_threads())
                begins()
                yield RoundFinished(round=turn, seconds=0.0, rounds=len(self.turns))

    def later():
        second.wait(10.0)
        clock.now = 2.0 * KEPT

    long = Session(lambda: Source("first", [first.set, later, int]), cores=cores)
    long.start()
    assert first.wait(10.0)
    short = Session(lambda: Source("second", [int]), cores=cores)
    short.start()
    assert short.join(10.0)
    second.set()
    assert long.join(10.0)
    assert seen == {"first": [4, seen["first"][1], 4], "second": [2]}
