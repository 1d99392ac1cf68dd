"""Kinds of faults, one after the other, beside a real run whose steps must not falter."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest
import torch

from nayer.config import Config
from nayer.events import Event
from nayer.runs.session import Session
from nayer.runs.side_by_side import Lab
from tests.reliability.figure import Figure

KINDS = 25
LONGEST_GAP = 2.0  # seconds between two events of the run beside them
FAULTS = [
    "tests/app/test_faults.py",
    "tests/app/runs/test_scheduler.py::test_a_run_that_hangs_fails_for_its_viewers_and_its_place_is_counted_as_lost",
    "tests/app/runs/test_history.py::test_a_damaged_checkpoint_is_said_and_the_run_stays_to_be_seen",
    "tests/app/runs/test_history.py::test_a_history_that_breaks_leaves_the_run_alone",
    "tests/app/runs/test_history.py::test_runs_are_kept_in_memory_only_with_a_sentence_where_there_is_no_history",
    "tests/app/storage/test_run_store.py::test_a_folder_that_cannot_be_made_is_one_sentence",
    "tests/app/storage/test_run_store.py::test_a_second_process_is_refused_and_the_first_goes_on",
    "tests/app/storage/test_run_store.py::test_a_history_whose_pages_are_overwritten_is_moved_aside",
    "tests/app/storage/test_run_store.py::test_a_newer_history_is_left_alone",
    "tests/app/storage/test_run_store.py::test_a_full_disk_is_said_and_what_waited_is_written_once_there_is_room",
    "tests/app/storage/test_run_store.py::test_a_disk_that_fails_at_any_write_leaves_the_former_checkpoint",
]


class Outcomes:
    """A plugin that notes how each test ended."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)
        elif report.when == "call":
            (self.passed if report.passed else self.failed).append(report.nodeid)


def measure() -> Figure:
    times: list[float] = []

    def heard(_: Event) -> None:
        times.append(time.monotonic())

    quietly = ["-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", *FAULTS]
    pytest.main(["--collect-only", *quietly])  # libraries come from the disk before the run, as a server's do
    torch.set_num_threads(1)  # threads that wait for each other cost more than they bring beside other work
    config = Config(teacher="digits", rounds=100_000, generator_steps=2, student_steps=2, synthesis_batch=20)
    canary = Session(lambda: Lab([config]), on_event=heard)
    canary.start()
    while len(times) < 50:
        time.sleep(0.05)
    del times[:-1]
    outcomes = Outcomes()
    pytest.main(quietly, plugins=[outcomes])
    alive = canary.state == "running"
    canary.stop()
    canary.join(10)
    gap = max(after - before for before, after in pairwise(times))
    kinds = len(outcomes.passed)
    left = [thread.name for thread in threading.enumerate() if thread.name == "nayer-writer"]
    return Figure(
        10,
        "different kinds of faults while a real run is active",
        f"{KINDS} survived, the run beside them never pauses for more than {LONGEST_GAP:g} s",
        f"{kinds} survived, {len(outcomes.failed)} not; longest pause {gap:.2f} s over {len(times):,} events",
        kinds >= KINDS and not outcomes.failed and gap <= LONGEST_GAP and alive and not left,
    )
