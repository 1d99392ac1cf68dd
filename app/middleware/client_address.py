"""The address that a request comes from. Visitors behind one address share their turns."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ADDRESS: ContextVar[str] = ContextVar("address", default="")
# A proxy names its client in these headers. Gradio trusts some of them from every sender.
_FORWARDING = re.compile(r"x-forwarded-.+|x-original-.+|forwarded|via|x-real-ip|x-scheme|x-gradio-server")


def address() -> str:
    """The address of the client of the present request; empty outside of a request."""
    return _ADDRESS.get()


@contextmanager
def answering(client: str) -> Iterator[None]:
    """Inside, `address` is that client's: for a task that did not begin with its request."""
    token = _ADDRESS.set(client)
    try:
        yield
    finally:
        _ADDRESS.reset(token)


def forwarding(headers: Headers) -> str:
    """The first header that shows that a proxy handed the request on; empty for a request that came by itself."""
    return next((name for name in headers if _FORWARDING.fullmatch(name)), "")


class Forwarded:
    """Middleware after which a request looks as the visitor sent it, so the inner code needs no knowledge of proxies.

    From a peer within `proxies` it takes the client's address, the scheme and the host in X-Forwarded-For, -Proto and
    -Host. It ignores these headers from other peers. Then it removes them. `address` gives the client's address to
    the code that answers the request, also in a thread.
    """

    def __init__(self, app: ASGIApp, proxies: Iterable[Network] = ()) -> None:
        self._app = app
        self._proxies = tuple(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        peer, port = scope.get("client") or ("", 0)
        headers = Headers(scope=scope)
        seen = {
            **scope,
            "headers": [pair for pair in scope["headers"] if not _FORWARDING.fullmatch(pair[0].decode("latin-1"))],
        }
        client = peer
        if self._trusts(_read(peer)):
            client = self._client(peer, headers.getlist("x-forwarded-for"))
            scheme, host = (_first(headers, f"x-forwarded-{what}") for what in ("proto", "host"))
            if scheme in ("http", "https"):
                seen["scheme"] = scheme
            if host:
                rest = [pair for pair in seen["headers"] if pair[0] != b"host"]
                seen["headers"] = [(b"host", host.encode("latin-1")), *rest]
        seen["client"] = (_lane(client), port)
        with answering(seen["client"][0]):
            return await self._app(seen, receive, send)

    def _trusts(self, peer: Address | None) -> bool:
        return peer is not None and any(peer in network for network in self._proxies)

    def _client(self, peer: str, forwarded: list[str]) -> str:
        """The rightmost address that is not one of our proxies: each proxy adds its client's address at the right.

        The visitor can write anything further left.
        """
        addresses = [_read(part) for line in forwarded for part in line.split(",")]
        other = next((one for one in reversed(addresses) if not self._trusts(one)), None)
        return str(other) if other is not None else peer


def _first(headers: Headers, name: str) -> str:
    """The first value of the header. With several proxies in a row, the proxy next to the visitor wrote it."""
    return headers.get(name, "").partition(",")[0].strip()


def _read(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _lane(host: str) -> str:
    """The lane of a host. For an IPv6 address it is the network, because one household has 2⁶⁴ addresses."""
    found = _read(host)
    if isinstance(found, ipaddress.IPv6Address) and not found.is_loopback:
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found) if found else host
