"""Names that are stored outside of the program are those that were recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.behavior.fixtures import NAMES, as_json, complaint, differences, read
from tests.behavior.names import KINDS

RECORDED: dict[str, Any] = read(NAMES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stored_name_changes_only_with_a_migration(kind: str, tmp_path: Path) -> None:
    found = differences(RECORDED[kind], as_json(KINDS[kind](tmp_path)), place=kind)
    assert not found, (
        f"{complaint(found)}\n"
        "People have files, addresses and programs with the recorded name: what reads them needs a migration. "
        "Once there is one, or if the name is only new: python -m tests.behavior.record names"
    )


def test_every_kind_of_name_is_recorded() -> None:
    assert list(RECORDED) == list(KINDS)
