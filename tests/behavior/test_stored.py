"""What people have on their disks opens, plays and goes on. The page's own data opens in test_conversation.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.behavior.fixtures import OPENED, STORED, as_json, complaint, differences, machine, read
from tests.behavior.stored import OPENINGS

RECORDED: dict[str, Any] = read(OPENED)
HERE = machine() == RECORDED["machine"]
MOST, LARGEST = 1_500_000, 400_000  # bytes of all files, and of one


@pytest.mark.parametrize("name", OPENINGS)
def test_a_stored_thing_gives_what_it_gave(name: str, tmp_path: Path) -> None:
    before, now = RECORDED["recorded"][name], as_json(OPENINGS[name](tmp_path))
    if not HERE:
        before, now = ({k: v for k, v in one.items() if not _digest(v)} for one in (before, now))
    told = differences(before, now, exact=HERE)
    assert not told, f"What people have stored no longer gives the same.\n{complaint(told)}"


def test_every_stored_thing_is_opened() -> None:
    assert list(RECORDED["recorded"]) == list(OPENINGS)


def _digest(value: object) -> bool:
    one = value[0] if isinstance(value, list) and value else value
    return isinstance(one, str) and len(one) == 64 and " " not in one


def test_what_is_recorded_is_small() -> None:
    sizes = [path.stat().st_size for path in STORED.parent.rglob("*") if path.is_file()]
    assert max(sizes) <= LARGEST
    assert sum(sizes) <= MOST
