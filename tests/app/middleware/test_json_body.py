"""JSON that readers disagree about, or fail on, gets no further than the gate; what is sound gets there untouched."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.middleware.json_body import DEEPEST, unsound
from nayer.text_rules import forbidden

# Each of these was a 500 with a traceback in the log, a lost connection, or was read as something else.
UNSOUND = [
    (b"NaN", "finite"),
    (b'{"data": [NaN]}', "finite"),
    (b"[-Infinity]", "finite"),
    (b"[1e999]", "finite"),
    (b"[" * 20_000, "nested"),
    (b"[" * 200 + b"]" * 200, "nested"),
    (b'{"a":' * 40 + b"1" + b"}" * 40, "nested"),
    (b'{"data": [], "data": [1]}', "twice"),
    (b'[{"run": "a", "run": "b"}]', "twice"),
    ("[1]".encode("utf-16"), "UTF-8"),
    (b"\xef\xbb\xbf[1]", "JSON"),
    (b"\xff\xfe", "UTF-8"),
    (b"{", "JSON"),
    (b"[" + b"9" * 5000 + b"]", "JSON"),
    (b'{"data": ["digits", {"\\ud800": 1}]}', "a name in body.data[1] contains U+D800"),
    (b'[{"title": "\\ud800"}]', "body[0].title contains U+D800"),
    (b'["a\\u0000b"]', "body[0] contains U+0000"),
    ('{"title": "\u202egnp"}'.encode(), "body.title contains U+202E"),
]


@pytest.mark.parametrize(("body", "said"), UNSOUND, ids=[str(number) for number in range(len(UNSOUND))])
def test_unsound_json_is_refused_in_a_sentence(body: bytes, said: str) -> None:
    wrong = unsound(body)
    assert said in wrong
    assert len(wrong) < 120


def test_depth_is_counted_exactly() -> None:
    assert unsound(b"[" * DEEPEST + b"]" * DEEPEST) == ""
    assert unsound(b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1)) != ""


texts = st.text().filter(lambda text: not forbidden(text))
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)


@given(plain)
def test_what_pythons_own_writer_writes_is_sound(content: object) -> None:
    assert unsound(json.dumps(content).encode()) == ""
