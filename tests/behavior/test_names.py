"""Names that are stored outside of the program are those that were recorded."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behavior.fixtures import NAMES, complaint, differences, read
from tests.behavior.names import names

RECORDED: dict[str, Any] = read(NAMES)


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return names(tmp_path_factory.mktemp("names"))


@pytest.mark.parametrize("kind", RECORDED)
def test_a_stored_name_changes_only_with_a_migration(now: dict[str, Any], kind: str) -> None:
    found = differences(RECORDED[kind], now[kind], place=kind)
    assert not found, (
        f"{complaint(found)}\n"
        "People have files, addresses and programs with the recorded name: what reads them needs a migration. "
        "Once there is one, or if the name is only new: python -m tests.behavior.record names"
    )


def test_every_kind_of_name_is_recorded(now: dict[str, Any]) -> None:
    assert sorted(now) == sorted(RECORDED)
