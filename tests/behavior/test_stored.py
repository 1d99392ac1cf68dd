"""What people have on their disks opens, plays and goes on. The page's own data opens in test_conversation.py."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behavior.fixtures import OPENED, STORED, as_json, complaint, differences, machine, read
from tests.behavior.stored import opened

RECORDED: dict[str, Any] = read(OPENED)
HERE = machine() == RECORDED["machine"]
MOST, LARGEST = 1_500_000, 400_000  # bytes of all files, and of one


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    told: dict[str, Any] = as_json(opened(tmp_path_factory.mktemp("opened")))
    return told


@pytest.mark.parametrize("name", RECORDED["recorded"])
def test_a_stored_thing_gives_what_it_gave(found: dict[str, Any], name: str) -> None:
    before, now = RECORDED["recorded"][name], found[name]
    if not HERE:
        before, now = ({k: v for k, v in one.items() if not _digest(v)} for one in (before, now))
    told = differences(before, now, exact=HERE)
    assert not told, f"What people have stored no longer gives the same.\n{complaint(told)}"


def _digest(value: object) -> bool:
    one = value[0] if isinstance(value, list) and value else value
    return isinstance(one, str) and len(one) == 64 and " " not in one


def test_what_is_recorded_is_small() -> None:
    sizes = [path.stat().st_size for path in STORED.parent.rglob("*") if path.is_file()]
    assert max(sizes) <= LARGEST
    assert sum(sizes) <= MOST
