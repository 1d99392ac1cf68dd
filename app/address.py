"""Where a request comes from, as far as the server can tell: visitors behind one address share their turns."""

from __future__ import annotations

import ipaddress
from contextvars import ContextVar

from gradio.context import LocalContext
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

_ADDRESS: ContextVar[str] = ContextVar("address", default="")


def address() -> str:
    """Of whoever asks what is being answered, empty outside of a request.

    Gradio's queue answers in a task of its own, in which only the request that Gradio hands over is the right one.
    """
    request = LocalContext.request.get(None)
    if request is None:
        return _ADDRESS.get()
    client = request.client  # of our own scope, see below
    return str(client.host) if client else ""


class Addressed:
    """Middleware that puts the client's address where whatever answers the request finds it, also in a thread.

    Whoever calls a proxy can write what they like at the left of X-Forwarded-For; the proxy itself writes at the right.
    `behind_proxy`: whether the peer is trusted to be one although it is not this machine, as on a Space.
    """

    def __init__(self, app: ASGIApp, *, behind_proxy: bool = False) -> None:
        self._app = app
        self._behind_proxy = behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        host, port = scope.get("client") or ("", 0)
        found = _lane(self._origin(host, Headers(scope=scope).getlist("x-forwarded-for")))
        token = _ADDRESS.set(found)
        try:
            await self._app({**scope, "client": (found, port)}, receive, send)
        finally:
            _ADDRESS.reset(token)

    def _origin(self, peer: str, forwarded: list[str]) -> str:
        """The rightmost address of X-Forwarded-For that is of the open web, where the peer is a proxy of ours."""
        known = _read(peer)
        if known is None or not (known.is_loopback or (self._behind_proxy and known.is_private)):
            return peer
        told = [_read(part) for line in forwarded for part in line.split(",")]
        return next((str(one) for one in reversed(told) if one is not None and one.is_global), peer)


def _read(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _lane(host: str) -> str:
    """Of an IPv6 address the network, for a household has 2⁶⁴ of them."""
    found = _read(host)
    if isinstance(found, ipaddress.IPv6Address) and not found.is_loopback:
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found) if found else host
