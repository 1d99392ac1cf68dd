"""Generated values of every wrong kind, which the page never sends."""

from __future__ import annotations

from hypothesis import strategies as st

EDGES = [float("nan"), float("inf"), -float("inf"), 1e308, -0.0, 5e-324, 2**63, -(2**63), 10**30, -1, True, None]
TEXTS = ["", " ", "5", "null", "x" * 10_000, "\x00", "\u202e", "a\u0301" * 200, "👩‍👩‍👧‍👦", "<script>alert(1)</script>"]
TEXTS += [
    "../../etc/passwd",
    "C:\\x",
    "'; drop table runs",
    "=cmd|'/c'!A1",
    "{{7*7}}",
    "${1}",
    "\r\nSet-Cookie: a=b",
    "%00",
]

words = st.sampled_from(TEXTS) | st.text(max_size=40)
scalars = st.sampled_from(EDGES) | words | st.integers() | st.floats() | st.booleans() | st.none()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=5
)
