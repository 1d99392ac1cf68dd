"""What is typed into the box, as names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.support.class_names import listed, split


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("", []),
        ("  \n \n", []),
        ("cat", ["cat"]),
        ("cat\ndog", ["cat", "dog"]),
        ("cat, red panda ,dog", ["cat", "red panda", "dog"]),
        ("cat,\r\ndog,\r\n", ["cat", "dog"]),
        ("cat\ndog\n\n", ["cat", "dog"]),
        ("cat, dog\nowl", ["cat", "dog", "owl"]),
        ("cat,,dog", ["cat", "", "dog"]),
        ("cat\n\ndog", ["cat", "", "dog"]),
        ("cat, \n ,dog", ["cat", "", "dog"]),
        (",cat", ["", "cat"]),
        ("<img src=x onerror=alert(1)>\nשלום", ["<img src=x onerror=alert(1)>", "שלום"]),
    ],
)
def test_names_stand_on_lines_or_between_commas(typed: str, names: list[str]) -> None:
    assert split(typed) == names


@given(st.lists(st.from_regex(r"[a-zA-Z<>&\"'🐼é][ a-z<>&\"'🐼é]{0,20}[a-z🐼]", fullmatch=True), max_size=20))
def test_what_is_listed_is_read_again(names: list[str]) -> None:
    assert split(listed(names)) == names
