"""docs/cases.md names every case once. Neither it nor docs/reliability.md names a test that is not there."""

import re

from tests.support.repository import ROOT

CASES = (ROOT / "docs" / "cases.md").read_text("utf-8")
COUNTS = {"A": 18, "B": 20, "C": 14, "D": 13, "E": 18, "F": 24, "G": 31, "H": 26, "I": 11, "J": 19}


def test_every_case_has_a_row():
    named = re.findall(r"^\| ([A-J]\d+) ", CASES, re.MULTILINE)
    assert named == [f"{group}{number}" for group, count in COUNTS.items() for number in range(1, count + 1)]


def test_what_tries_a_case_is_there():
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    attacks = (ROOT / "docs" / "reliability.md").read_text("utf-8").partition("\n## ")[2]
    named = set(re.findall(r"`(\w+)`", CASES)) | set(re.findall(r"`(\w+_\w+)`", attacks))
    assert len(named) > 80
    assert not [name for name in named if f"def test_{name}(" not in tests]
    rows = {int(path.stem.split("_")[1]) for path in (ROOT / "tests" / "reliability").glob("*_[0-9]*_*.py")}
    told = " ".join(re.findall(r"rows? ([\d and,]+)", CASES + attacks))
    claimed = set(map(int, re.findall(r"\d+", told)))
    assert claimed <= rows
