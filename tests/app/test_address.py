"""Whose turn it is counts by address: who may say so, and that no way in goes without."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.address import Addressed, address


def seen(peer: str, forwarded: list[str], *, behind_proxy: bool) -> tuple[str, str]:
    """(what `address` says inside of the request, what whoever reads the request itself finds)."""
    told: list[tuple[str, str]] = []

    async def application(scope: Any, receive: object, send: object) -> None:
        told.append((address(), scope["client"][0]))

    scope = {
        "type": "http",
        "client": (peer, 5),
        "headers": [(b"x-forwarded-for", line.encode()) for line in forwarded],
    }
    asyncio.run(Addressed(application, behind_proxy=behind_proxy)(scope, None, None))  # type: ignore[arg-type]
    return told[0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "behind_proxy", "wanted"),
    [
        ("9.9.9.9", ["8.8.8.8"], True, "9.9.9.9"),  # of the open web: no proxy of ours
        ("10.0.0.1", ["8.8.8.8"], False, "10.0.0.1"),  # a neighbour, where no proxy is promised
        ("10.0.0.1", ["8.8.8.8"], True, "8.8.8.8"),
        ("10.0.0.1", ["1.1.1.1, 8.8.8.8"], True, "8.8.8.8"),  # the left is whatever the visitor wrote
        ("10.0.0.1", ["1.1.1.1", "8.8.8.8, 10.2.3.4"], True, "8.8.8.8"),  # two proxies, one behind the other
        ("10.0.0.1", ["made up, , ::::"], True, "10.0.0.1"),
        ("10.0.0.1", [], True, "10.0.0.1"),
        ("127.0.0.1", ["8.8.8.8"], False, "8.8.8.8"),  # a proxy on this machine
        ("2a00:1:2:3:aaaa::1", [], False, "2a00:1:2:3::"),  # a household's network
        ("::ffff:9.9.9.9", [], False, "9.9.9.9"),
        ("::1", [], False, "::1"),
        ("testclient", [], False, "testclient"),
    ],
)
def test_only_a_proxy_of_ours_is_believed(peer: str, forwarded: list[str], behind_proxy: bool, wanted: str) -> None:
    assert seen(peer, forwarded, behind_proxy=behind_proxy) == (wanted, wanted)


def test_nobody_asks_outside_of_a_request() -> None:
    assert address() == ""
