"""What we stand on is no older than where its known holes were closed; looked up on 2026-11-23."""

from importlib.metadata import version

import pytest

from tests.support.repository import ROOT

FLOORS = {  # package -> the first version without the holes that were known then
    "gradio": (6, 20),
    "starlette": (0, 49, 1),
    "python-multipart": (0, 0, 27),
    "pillow": (12, 3),
    "torch": (2, 10),
}


def number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("+")[0].split(".") if part.isdecimal())


@pytest.mark.parametrize("package", FLOORS)
def test_no_package_is_older_than_its_floor(package):
    assert number(version(package)) >= FLOORS[package]


@pytest.mark.parametrize("package", ["app", "nayer"])
def test_no_duration_is_taken_from_a_clock_that_can_be_set(package):
    assert [path.name for path in (ROOT / package).rglob("*.py") if "time.time(" in path.read_text("utf-8")] == []
