"""JSON that readers disagree about, or fail on, gets no further than the gate; what is sound gets there untouched."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from app.middleware.json_body import DEEPEST, MOST_VALUES, SMALL_BODY, Bodies, _JsonCheck, json_error
from nayer.config import Config
from nayer.text_rules import MAX_NAME_LENGTH, MAX_NAMES, forbidden
from tests.support.serving import at

# Each of these was a 500 with a traceback in the log, a lost connection, or was read as something else.
UNSOUND = [
    (b"NaN", "finite"),
    (b'{"data": [NaN]}', "finite"),
    (b"[-Infinity]", "finite"),
    (b"[1e999]", "finite"),
    (b"[" * 3_000, "nested"),
    (b"[" * 20_000, "too many values"),
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
    wrong = json_error(body)
    assert said in wrong
    assert len(wrong) < 120


def test_depth_is_counted_exactly() -> None:
    assert json_error(b"[" * DEEPEST + b"]" * DEEPEST) == ""
    assert json_error(b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1)) != ""


@pytest.mark.parametrize("value", ["[]", "{}", '""', "0", "[[[[]]]]", '{"a":0}'])
def test_a_body_of_many_values_is_not_even_read(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    loads = json.loads

    def noted(text: str, **how: Any) -> Any:
        read.append(text)
        return loads(text, **how)

    monkeypatch.setattr(json, "loads", noted)
    values = ",".join([value] * (MOST_VALUES + 1))
    assert "too many values" in json_error(f"[{values}]".encode())
    assert not read


def test_the_largest_body_that_a_page_or_a_program_has_a_use_for_is_read() -> None:
    names = [f"{number:03d}" + "\u732b" * (MAX_NAME_LENGTH - 3) for number in range(MAX_NAMES)]
    asked = json.dumps({"typed": ", ".join(names), "names": ["x" * MAX_NAME_LENGTH] * MAX_NAMES})  # as six bytes each
    arms = [{"title": "x" * 300, "key": "x" * 300, "changes": Config().model_dump()} for _ in range(8)]
    for body in (asked.encode(), json.dumps({"data": ["digits", arms, Config().model_dump(), ""]}).encode()):
        assert len(body) < SMALL_BODY
        assert json_error(body) == ""


@pytest.mark.parametrize("length", [str(SMALL_BODY + 1), "9" * 4301])
def test_a_body_that_is_told_to_be_too_long_is_refused_in_a_sentence_and_not_waited_for(length: str) -> None:
    said: list[Message] = []

    async def never(*_: object) -> Message:
        raise AssertionError("the body was asked for")

    async def send(message: Message) -> None:
        said.append(message)

    scope = {"type": "http", "path": "/explore", "headers": [(b"content-length", length.encode())]}
    asyncio.run(Bodies(never)(scope, never, send))  # type: ignore[arg-type]
    assert said[0]["status"] == 413
    assert json.loads(said[1]["body"]) == {"error": "body is longer than 96 kB; send less at once."}


texts = st.text().filter(lambda text: not forbidden(text))
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)


@given(plain)
def test_what_pythons_own_writer_writes_is_sound(content: object) -> None:
    assert json_error(json.dumps(content).encode()) == ""


def test_the_bodies_of_one_address_are_counted_together_however_many_connections_bring_them() -> None:
    async def tried() -> None:
        go, statuses, reached = asyncio.Event(), [], []

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            await go.wait()
            reached.append((await receive())["body"])

        gate = _JsonCheck(application, held=100)

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
