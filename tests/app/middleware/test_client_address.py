"""Whose turn it is counts by address: who may say so, and that no way in goes without."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from typing import Any

import pytest

from app.environment import CLUSTER, LOOPBACK
from app.middleware.client_address import Forwarded, Network, address

LAN = (ip_network("192.168.1.0/24"),)


def asked(peer: str, headers: list[tuple[str, str]], proxies: tuple[Network, ...]) -> tuple[dict[str, Any], str]:
    """(The scope behind the middleware, what `address` says there) of a request that names the host `page`."""
    told: list[tuple[dict[str, Any], str]] = []

    async def application(scope: Any, receive: object, send: object) -> None:
        told.append((scope, address()))

    pairs = [(name.encode(), value.encode()) for name, value in [("host", "page"), *headers]]
    scope = {"type": "http", "client": (peer, 5), "scheme": "http", "headers": pairs}
    asyncio.run(Forwarded(application, proxies)(scope, None, None))  # type: ignore[arg-type]
    return told[0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "wanted"),
    [
        ("127.0.0.1", ["8.8.8.8"], (), "127.0.0.1"),  # whoever is on this machine, where no proxy is named
        ("127.0.0.1", ["8.8.8.8"], LOOPBACK, "8.8.8.8"),
        ("::ffff:127.0.0.1", ["8.8.8.8"], LOOPBACK, "8.8.8.8"),
        ("::1", ["8.8.8.8"], LOOPBACK, "8.8.8.8"),
        ("9.9.9.9", ["8.8.8.8"], CLUSTER, "9.9.9.9"),  # of the open web: no proxy of ours
        ("10.0.0.1", ["8.8.8.8"], LOOPBACK, "10.0.0.1"),  # a neighbor
        ("10.0.0.1", ["8.8.8.8"], CLUSTER, "8.8.8.8"),
        ("192.168.1.2", ["192.168.2.9"], LAN, "192.168.2.9"),  # visitors of a house have such addresses
        ("10.0.0.1", ["1.1.1.1, 8.8.8.8"], CLUSTER, "8.8.8.8"),  # the left is whatever the visitor wrote
        ("10.0.0.1", ["1.1.1.1", "8.8.8.8, 10.2.3.4"], CLUSTER, "8.8.8.8"),  # two proxies, one behind the other
        ("10.0.0.1", ["made up, , ::::"], CLUSTER, "10.0.0.1"),
        ("10.0.0.1", ["8.8.8.8, unknown"], CLUSTER, "10.0.0.1"),
        ("10.0.0.1", [], CLUSTER, "10.0.0.1"),
        ("2a00:1:2:3:aaaa::1", [], (), "2a00:1:2:3::"),  # a household's network
        ("::ffff:9.9.9.9", [], (), "9.9.9.9"),
        ("::1", [], (), "::1"),
        ("testclient", ["8.8.8.8"], LOOPBACK, "testclient"),
    ],
)
def test_only_a_proxy_of_ours_is_believed(
    peer: str, forwarded: list[str], proxies: tuple[Network, ...], wanted: str
) -> None:
    scope, told = asked(peer, [("x-forwarded-for", line) for line in forwarded], proxies)
    assert (told, scope["client"][0]) == (wanted, wanted)


@pytest.mark.parametrize(
    ("headers", "scheme", "host"),
    [
        ({"x-forwarded-proto": "https"}, "https", b"page"),
        ({"x-forwarded-proto": "https, http"}, "https", b"page"),  # two proxies in a row
        ({"x-forwarded-proto": "gopher"}, "http", b"page"),
        ({"x-forwarded-host": "my.example"}, "http", b"my.example"),
        ({"x-forwarded-host": "my.example:8443, inner", "x-forwarded-proto": "https"}, "https", b"my.example:8443"),
        ({"x-gradio-server": "http://evil.example/"}, "http", b"page"),
    ],
)
def test_scheme_and_host_are_a_proxys_to_tell_and_nobody_elses(
    headers: dict[str, str], scheme: str, host: bytes
) -> None:
    for proxies, wanted in ((LOOPBACK, (scheme, host)), ((), ("http", b"page"))):
        scope, _ = asked("127.0.0.1", list(headers.items()), proxies)
        assert (scope["scheme"], dict(scope["headers"])[b"host"]) == wanted


def test_nothing_behind_sees_what_a_proxy_says_of_itself() -> None:
    """Gradio believes X-Forwarded-Host and X-Gradio-Server of anybody."""
    names = ["x-forwarded-host", "x-forwarded-port", "forwarded", "via", "x-real-ip", "x-gradio-server", "x-scheme"]
    for proxies in (LOOPBACK, ()):
        scope, _ = asked("127.0.0.1", [*((name, "x") for name in names), ("x-ip-token", "kept")], proxies)
        assert sorted(name for name, _ in scope["headers"]) == [b"host", b"x-ip-token"]


def test_nobody_asks_outside_of_a_request() -> None:
    assert address() == ""
