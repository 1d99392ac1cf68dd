"""What every request passes before it reaches the page: hosts, origins, open doors, bodies, headers.

Gradio guards none of these by itself. Each check is plain ASGI, so that streams stay streams.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.bodies import Bodies

_READING = ("GET", "HEAD", "OPTIONS")

# What is open; everything else that Gradio brings along is closed, and so is what a later version adds.
_OPEN = re.compile(
    r"/(|config/?|health|theme\.css|favicon\.ico|robots\.txt|manifest\.json|login_check/?|explore|explained|bring"
    r"|(svelte|static|assets|stage|live|command|code)/.*"
    r"|gradio_api/(info/?|app_id/?|startup-events|heartbeat/[^/]+|cancel|reset/?|theme\.css"
    r"|queue/(join|data)/?|(call|call/v2|run|api)/.+|file=(?!\w+:|%|/{2}|\\).*))"
)

# Gradio starts itself with inline scripts, and makes functions of its components' event handlers.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors {framers}"
)
_SPACE = "'self' https://huggingface.co https://*.huggingface.co"  # a Space's page stands in a frame


def guarded(
    application: ASGIApp,
    *,
    hosts: Iterable[str] = (),
    framed_by_space: bool = False,
    answered: Callable[[int], None] = lambda status: None,
) -> ASGIApp:
    """`application` behind every check. `hosts`: names it is reached by, besides this machine's own and addresses.

    `answered` hears the status of every answer.
    """
    names = {"localhost", socket.gethostname().lower(), *(host.lower() for host in hosts if host)}
    policy = _POLICY.format(framers=_SPACE if framed_by_space else "'self'")
    return _Headers(_Hosts(_Doors(Bodies(application)), names), policy, answered)


class _Headers:
    """Adds what tells a browser to be careful."""

    def __init__(self, application: ASGIApp, policy: str, answered: Callable[[int], None]) -> None:
        self._application = application
        self._answered = answered
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Content-Security-Policy": policy,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def careful(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
                self._answered(message["status"])
            await send(message)

        await self._application(scope, receive, careful)


class _Hosts:
    """Refuses a Host that is not ours, and writing on behalf of another site.

    A foreign name that resolves to this machine would make the page a part of that site (DNS rebinding); an address in
    numbers cannot be made to.
    """

    def __init__(self, application: ASGIApp, names: set[str]) -> None:
        self._application, self._names = application, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._application(scope, receive, send)
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._ours(f"//{host}"):
            return await _refuse(400, "host is not one of this page's names", scope, receive, send)
        if scope["method"] not in _READING:
            foreign = headers.get("sec-fetch-site") == "cross-site" if origin is None else not self._ours(origin)
            if foreign:
                return await _refuse(403, "another site cannot give commands here", scope, receive, send)
        return await self._application(scope, receive, send)

    def _ours(self, address: str) -> bool:
        try:
            name = (urlsplit(address).hostname or "").lower()
        except ValueError:
            return False
        if name in self._names or name.removesuffix(".local") in self._names:
            return True
        try:
            return bool(ipaddress.ip_address(name))
        except ValueError:
            return False


class _Doors:
    """Answers 404 for every route that nothing here uses."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _OPEN.fullmatch(scope["path"]):
            return await _refuse(404, "there is nothing here", scope, receive, send)
        return await self._application(scope, receive, send)


async def _refuse(status: int, sentence: str, scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(f"{sentence}\n", status_code=status)(scope, receive, send)
