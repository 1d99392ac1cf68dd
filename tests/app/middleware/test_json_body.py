"""JSON that readers disagree about, or fail on, gets no further than the gate; what is sound gets there untouched."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from app.middleware.json_body import DEEPEST, _Sound, unsound
from nayer.text_rules import forbidden
from tests.support.serving import at

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


def test_the_bodies_of_one_address_are_counted_together_however_many_connections_bring_them() -> None:
    async def tried() -> None:
        go, statuses, reached = asyncio.Event(), [], []

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            await go.wait()
            reached.append((await receive())["body"])

        gate = _Sound(application, held=100)

        def ask(lane: str, size: int, *, whole: bool = True) -> asyncio.Future[None]:
            pieces = [{"type": "http.request", "body": b" " * (size - 1) + b"1", "more_body": not whole}]

            async def receive() -> Message:
                if not pieces:
                    await go.wait()
                    return {"type": "http.disconnect"}
                return pieces.pop()

            async def send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    statuses.append(message["status"])

            with at(lane):
                return asyncio.ensure_future(gate({"type": "http", "headers": []}, receive, send))

        asked = [ask("hog", 40), ask("hog", 40, whole=False), ask("hog", 40), ask("other", 40)]
        await asked[2]
        assert statuses == [429]
        asked.append(ask("hog", 20))
        go.set()
        await asyncio.gather(*asked)
        assert sorted(map(len, reached)) == [20, 40, 40]
        await ask("hog", 100)
        assert statuses == [429]

    asyncio.run(asyncio.wait_for(tried(), 30))
