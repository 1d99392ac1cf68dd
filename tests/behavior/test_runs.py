"""Every recorded run gives the same events and the same student, bit for bit on the same type of machine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behavior.fixtures import RUNS, complaint, differences, machine, read
from tests.behavior.runs import RUNS as ALL_RUNS
from tests.behavior.runs import recorded

RECORDED: dict[str, Any] = read(RUNS)
HERE = machine() == RECORDED["machine"]
_EVERYWHERE = ("kinds", "numbers")  # what is compared on other machines, too


@pytest.mark.parametrize("name", ALL_RUNS)
def test_a_run_is_the_same_as_when_it_was_recorded(name: str) -> None:
    before, now = RECORDED["recorded"][name], recorded(ALL_RUNS[name]())
    parts = before if HERE else _EVERYWHERE
    found = differences({part: before[part] for part in parts}, {part: now[part] for part in parts}, exact=HERE)
    assert not found, complaint(found)


def test_every_run_is_recorded_and_no_other() -> None:
    assert list(RECORDED["recorded"]) == list(ALL_RUNS)


def test_pausing_and_stepping_changed_nothing_in_what_is_recorded() -> None:
    runs = RECORDED["recorded"]
    assert runs["stepped in a session"] == runs["preset nayer"]


def test_a_checkpoint_went_on_to_the_same_student_in_what_is_recorded() -> None:
    runs = RECORDED["recorded"]
    assert runs["continued from a checkpoint"]["students"] == runs["preset nayer"]["students"]


def test_each_setting_that_is_tried_made_a_difference_in_what_is_recorded() -> None:
    alike = {"stepped in a session"}  # as it should be, see above
    events = [told["events"] for name, told in RECORDED["recorded"].items() if name not in alike]
    assert len(set(events)) == len(events)


@pytest.mark.parametrize(
    ("now", "same_machine", "elsewhere"),
    [
        ({"loss": [4.2, 0.1], "said": "It took 3 steps."}, True, True),
        ({"loss": [4.21, 0.12], "said": "It took 3 steps."}, False, True),
        ({"loss": [4.2, 0.1], "said": "It took 4 steps."}, False, True),
        ({"loss": [5.2, 0.1], "said": "It took 3 steps."}, False, False),
        ({"loss": [4.2], "said": "It took 3 steps."}, False, False),
        ({"loss": [4.2, 0.1], "said": "It ran 3 steps."}, False, False),
        ({"loss": [4.2, 0.1]}, False, False),
        ({"loss": [4.2, None], "said": "It took 3 steps."}, False, False),
        ({"loss": [4.2, 0.1], "said": "It took 3 steps.", "more": 1}, False, False),
    ],
)
def test_what_counts_as_the_same(now: dict[str, Any], same_machine: bool, elsewhere: bool) -> None:
    before = {"loss": [4.2, 0.1], "said": "It took 3 steps."}
    assert (not differences(before, now)) == same_machine
    assert (not differences(before, now, exact=False)) == elsewhere
