"""The named bad inputs of groups C, D and H, as requests to a running server, and what may come of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nayer.config import settings
from tests.app.middleware.test_json_body import UNSOUND

REFUSED = frozenset({400, 403, 404, 405, 413, 422})
EITHER = REFUSED | {200}
MARKUP = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "{{7*7}}", "${1}"]
ODD = [
    "👩‍👩‍👧‍👦",
    "a" + "\u0301" * 500,
    "\u202egnp.exe",
    "a\u200bb",
    "a\x00b",
    "a\nb",
    "C:\\x",
    "../../x",
    "CON",
    "a/b",
    '"',
    "x\r\ny: z",
]
ODD += ["=cmd|'/c calc'!A1", "+1", "-1", "@x", "\tx", "'; drop table run; --"]
NUMBERS: list[object] = [1e308, -1, 2**63, 10**30, 0.5, "5", True, None, [], {}, [1], {"a": 1}, ""]
WRONG: list[object] = [None, 7, 1.5, True, [], {}, ["x"], {"x": "y"}]


@dataclass(frozen=True)
class Case:
    """`borne`: the statuses that count as a clean outcome."""

    name: str
    path: str
    body: bytes | None = None
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    borne: frozenset[int] = REFUSED


def cases(canary: str) -> Iterator[Case]:
    """All of them; `canary` is the address of a server that must never be asked."""
    yield from _texts()
    yield from _numbers()
    yield from _doors()
    yield from _boundary(canary)


def _json(name: str, path: str, content: object, **rest: Any) -> Case:
    return Case(name, path, json.dumps(content).encode(), **rest)


def _start(name: str, given: dict[str, object], **rest: Any) -> Case:
    """Mistakes in `settings` of what has an argument of its own go there."""
    inner = dict(given.get("settings", {}))  # type: ignore[call-overload]
    moved = {field: inner.pop(field) for field in ("seed", "latent") if field in inner}
    whole: dict[str, object] = {"teacher": "digits", "preset": "nayer", "seed": 0, "latent": "lte", "rounds": 0}
    whole |= {"settings": {}, "token": ""} | given | moved | {"settings": {"rounds": 1} | inner}
    return _json(name, "/gradio_api/run/start", {"data": list(whole.values())}, **rest)


def _explored(name: str, names: object, **rest: Any) -> Case:
    return _json(name, "/gradio_api/run/embeddings", {"data": [names, "a photo of a {}", "one-hot", 0, ""]}, **rest)


def _texts() -> Iterator[Case]:
    for number, words in enumerate(MARKUP):
        yield _explored(f"C1.{number}", [words, "dog"], borne=EITHER)
        yield _start(f"C1.{number} teacher", {"teacher": words})
        yield _start(f"C1.{number} setting", {"settings": {words: 1}})
    for long in (10_000, 200_000):
        yield _explored(f"C2 {long}", ["x" * long, "dog"])
        yield _start(f"C2 {long} teacher", {"teacher": "x" * long})
    for number, words in enumerate(ODD):
        yield _explored(f"C3-8.{number}", [words, "dog"], borne=EITHER)
        yield _start(f"C3-8.{number} teacher", {"teacher": words})
        yield _start(f"C3-8.{number} token", {"token": words, "rounds": 0, "seed": -1})
    yield Case("C3 surrogate", "/gradio_api/run/start", b'{"data": ["\\ud800", "nayer", 0, "lte", 1, {}, ""]}')
    for number, names in enumerate([["cat", "cat"], ["cat", "Cat"], ["cat", "ｃat"], [], [" ", "  "], ["one"]]):
        yield _explored(f"C4-5.{number}", names)
    yield _explored("C5 1,000", [f"name {number}" for number in range(1000)])
    for number, wrong in enumerate(WRONG):
        yield _explored(f"C9.{number}", wrong if isinstance(wrong, list) else [wrong, "dog"])


def _numbers() -> Iterator[Case]:
    for number, wrong in enumerate(NUMBERS):
        yield _start(f"D1.{number} seed", {"seed": wrong})
        yield _start(f"D1.{number} rounds", {"settings": {"rounds": wrong}})
    for setting in settings():
        for bound, step in ((setting.low, -1), (setting.high, 1)):
            if bound is not None:
                yield _start(f"D2 {setting.name} {bound + step}", {"settings": {setting.name: bound + step}})
        if setting.choices:
            yield _start(f"D4 {setting.name}", {"settings": {setting.name: "no such thing"}})
    most = {s.name: s.high if s.kind is float else int(s.high) for s in settings() if s.high is not None}
    yield _start("D3", {"settings": {name: high for name, high in most.items() if name != "seed"}})
    yield _start("D3 seconds", {"settings": {"seconds": 864_000.0, "rounds": 100_000}})
    yield Case("D7 digits", "/gradio_api/run/start", b'{"data": ["digits", "nayer", ' + b"9" * 4400 + b"]}")


def _doors() -> Iterator[Case]:
    for way in ("run", "api", "call", "call/v2"):
        yield _json(f"D4 {way} arity", f"/gradio_api/{way}/pause", {"data": ["x"] * 9}, borne=EITHER)
        yield _json(f"D4 {way} name", f"/gradio_api/{way}/no_such", {"data": []})
    for index in (-1, 9999, "x", None):
        joining: dict[str, object] = {"data": [], "fn_index": index, "session_hash": "s"}
        yield _json(f"D4 index {index}", "/gradio_api/queue/join", joining, borne=EITHER)
    for number, (body, _) in enumerate(UNSOUND):
        yield Case(f"D8.{number}", "/gradio_api/run/stop", body)
        yield Case(f"D8.{number} command", "/command/stop", body)
    yield Case("D8 large", "/gradio_api/queue/join", b"[" + b"1," * 500_000 + b"1]")
    for name in ("__init__", "_do", "revise", "begin", "status", "../stop"):
        yield _json(f"D6 {name}", f"/command/{name}", ["x", "y"])


def _boundary(canary: str) -> Iterator[Case]:
    get: dict[str, Any] = {"method": "GET"}
    for number, path in enumerate(
        ["/etc/passwd", "%2Fetc%2Fpasswd", "..%2f..%2fetc/passwd", "app.py", "%00", "\\\\host\\x", "C:%5Cx"]
    ):
        yield Case(f"H5.{number}", f"/gradio_api/file={path}", **get)
    for number, url in enumerate([canary, canary.replace("127.0.0.1", "0x7f000001"), "https://example.org/x"]):
        yield Case(f"H8.{number}", f"/gradio_api/file={url}", **get)
        yield Case(f"H8.{number} proxy", f"/gradio_api/proxy={url}", **get)
        data = {"path": url, "url": url, "meta": {"_type": "gradio.FileData"}, "orig_name": "x.png"}
        yield _json(f"H7.{number}", "/gradio_api/run/start", {"data": [data, "nayer", 0, "lte", 1, {}, ""]})
        yield _json(f"H7.{number} status", "/gradio_api/run/status", {"data": [data, 0, 0]})
        join = {"data": [data] * 3, "fn_index": 0, "session_hash": "s"}
        yield _json(f"H7.{number} join", "/gradio_api/queue/join", join, borne=EITHER)
    for origin in ("https://evil.example", "null"):
        yield _json(f"H9 {origin}", "/command/stop", ["x", "y"], headers={"Origin": origin})
    yield Case("H9 host", "/", headers={"Host": "evil.example"}, **get)
    for method in ("DELETE", "PUT", "PATCH", "OPTIONS"):
        yield Case(f"H9 {method}", "/command/stop", b"[]", method)
    for path in (
        "monitoring",
        "gradio_api/runs",
        "pwa_icon/64",
        "gradio_api/vibe-code",
        "gradio_api/deep_link",
        "docs",
    ):
        yield Case(f"H11 {path}", f"/{path}", **get)
    for number, ranges in enumerate(["bytes=" + ",".join(["0-1"] * 1000), "bytes=999999999-", "bytes=-1", "x"]):
        yield Case(f"H13.{number}", "/favicon.ico", headers={"Range": ranges}, borne=EITHER | {206, 416}, **get)
    for number, words in enumerate(["x%0d%0ay", "%1b[31m", "x" * 2000, "%ff%fe"]):
        yield Case(f"H15.{number}", f"/live/{words}/status", borne=EITHER | {414}, **get)
