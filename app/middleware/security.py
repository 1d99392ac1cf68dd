"""The checks of every request before it reaches the page: shape, host, origin, path, body, headers.

Gradio checks none of these. Each check is plain ASGI, so that streams stay streams.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
import socket
from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.content import messages
from app.middleware.client_address import Forwarded, Network, forwarding
from app.middleware.host_names import HOST
from app.middleware.json_body import Bodies
from app.middleware.loop_share import LoopShare
from nayer.text_rules import text_error

log = logging.getLogger(__name__)
LONGEST_PATH = 1024  # characters
LONGEST_PART = 255  # bytes between two slashes, as of a file's name
LONGEST_QUERY = 8192  # bytes
_METHODS = ("GET", "HEAD", "POST")
_LINE_BREAKS = re.compile(r"[\t\r\n]")

# The open routes. All other routes of Gradio are closed, also new ones of a later version.
_OPEN = re.compile(
    r"/(|config/?|health|theme\.css|favicon\.ico|robots\.txt|manifest\.json|login_check/?|explore|explained|duration"
    r"|bring|(svelte|static|assets|stage|live|teacher|command|code|examples|join)/.*"
    r"|gradio_api/(info/?|app_id/?|startup-events|heartbeat/[^/]+|cancel|reset/?|theme\.css"
    r"|queue/(join|data)/?|(call|call/v2|run|api)/.+|file=(?!\w+:|%|/{2}|\\).*))"
)

# Gradio starts itself with inline scripts, and makes functions of its components' event handlers.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors {framers}"
)
_SPACE = "'self' https://huggingface.co https://*.huggingface.co"  # the page of a Space is inside a frame

_DEFAULT_PORTS = {"http": 80, "https": 443}


def guarded(
    application: ASGIApp,
    *,
    hosts: Iterable[str] = (),
    origins: Iterable[str] = (),
    proxies: Iterable[Network] = (),
    alone: bool = False,
    framed_by_space: bool = False,
    answered: Callable[[int], None] = lambda status: None,
) -> ASGIApp:
    """`application` behind every check.

    `hosts`: its host names, besides this machine's own names and addresses. `origins`: its origins for a browser,
    besides the address that a request names. `proxies`: the trusted proxies, which may name the client. `alone`: it
    serves only people on this machine, so it refuses requests through a proxy. `answered` is called with the status
    of every answer.
    """
    policy = _POLICY.format(framers=_SPACE if framed_by_space else "'self'")
    checks = Forwarded(LoopShare(_Checks(Bodies(application), hosts, origins)), proxies)
    return _Answers(_Alone(checks) if alone else checks, policy, answered)


class _Answers:
    """Adds the security headers to every answer, and answers when the inner application fails."""

    def __init__(self, application: ASGIApp, policy: str, answered: Callable[[int], None]) -> None:
        self._application = application
        self._answered = answered
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Content-Security-Policy": policy,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._application(scope, receive, send)
        begun = ended = False

        async def careful(message: Message) -> None:
            nonlocal begun, ended
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message).update(self._headers)
                self._answered(message["status"])
            ended = ended or (message["type"] == "http.response.body" and not message.get("more_body", False))
            await send(message)

        try:
            await self._application(scope, receive, careful)
        except ClientDisconnect:  # the client is gone
            return None
        except Exception as error:
            if begun and not ended:
                raise  # the server closes the connection, because the answer is incomplete
            number = secrets.token_hex(4)
            log.error("a request failed, error %s", number, exc_info=error)
            if not begun:
                await _refuse(500, messages.FAULT.format(number=number), scope, receive, careful)


class _Alone:
    """Refuses a request through a proxy when no proxy is named: a page for this machine alone allows more."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (header := forwarding(Headers(scope=scope))):
            sentence = (
                f"{header} shows that a proxy sent this request, and this page only serves its own machine; set "
                "NAYER_PROXY and NAYER_HOSTS to serve others."
            )
            return await _refuse(400, sentence, scope, receive, send)
        return await self._application(scope, receive, send)


class Refusal(NamedTuple):
    """The reason why a request is refused."""

    status: int
    sentence: str


class _Checks:
    """Refuses with one sentence: malformed requests, requests for another host, and requests from another site.

    If a foreign name resolves to this machine, the page becomes a part of that site (DNS rebinding). A numeric address
    does not allow this. The origin header is removed after the check, because Gradio lets other pages of this machine
    read its answers.
    """

    def __init__(self, application: ASGIApp, hosts: Iterable[str], origins: Iterable[str]) -> None:
        machine = socket.gethostname().lower()
        self._application = application
        self._names = {"localhost", machine, f"{machine}.local", *(host.lower() for host in hosts if host)}
        self._origins = set(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._application(scope, receive, send)
        headers = Headers(scope=scope)
        for check in (_misshapen, _unreadable, self._elsewhere, self._foreign, _closed):
            if refusal := check(scope, headers):
                return await _refuse(*refusal, scope, receive, send)
        kept = [pair for pair in scope["headers"] if pair[0] != b"origin"]
        return await self._application({**scope, "headers": kept}, receive, send)

    def _elsewhere(self, scope: Scope, headers: Headers) -> Refusal | None:
        hosts = headers.getlist("host")
        found = HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
        if found and (found["name"] in self._names or _is_address(found["name"].strip("[]"))):
            return None
        host = ascii(", ".join(hosts))[:60]
        return Refusal(400, f"host={host} is not a name of this page; open the page at its own address.")

    def _foreign(self, scope: Scope, headers: Headers) -> Refusal | None:
        """Same origin is the same scheme, host and port. Another site may only link to this page.

        Programs send neither header. Browsers send Sec-Fetch-Site on a trustworthy connection.
        """
        site = headers.get("sec-fetch-site", "none")
        linked = scope["method"] != "POST" and headers.get("sec-fetch-mode") == "navigate"
        origins = headers.getlist("origin")
        mine = [f"{scope.get('scheme', 'http')}://{headers['host']}", *self._origins]
        ours = not origins or (len(origins) == 1 and any(_same(origins[0], one) for one in mine))
        if ours and (linked or site in ("none", "same-origin")):
            return None
        sender = f"sec-fetch-site={ascii(site)[:60]}" if ours else f"origin={ascii(origins[0])[:60]}"
        return Refusal(
            403, f"{sender} belongs to another site, and other sites may not send requests; open the page itself."
        )


def _misshapen(scope: Scope, headers: Headers) -> Refusal | None:
    if scope["method"] not in _METHODS:
        return Refusal(405, f"method={scope['method'][:20]!r} is not used here; use {', '.join(_METHODS)}.")
    path = scope["path"]
    parts = max(len(part.encode("utf-8", "replace")) for part in path.split("/"))
    if len(path) > LONGEST_PATH or parts > LONGEST_PART or len(scope["query_string"]) > LONGEST_QUERY:
        return Refusal(
            414,
            f"address is too long; use at most {LONGEST_PART} bytes between two slashes, {LONGEST_PATH} characters"
            f" before the question mark and {LONGEST_QUERY} after it.",
        )
    if "transfer-encoding" in headers and "content-length" in headers:  # proxies and servers disagree on these
        return Refusal(400, "content-length and transfer-encoding exclude each other; send only one of them.")
    if headers.get("content-encoding", "identity") != "identity":
        return Refusal(415, "content-encoding is not used here; send the body as it is.")
    return None


def _unreadable(scope: Scope, headers: Headers) -> Refusal | None:
    path = scope["path"]
    query = [list(pair) for pair in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)]
    wrong = text_error(path, "address") or text_error(query, "query")
    if _LINE_BREAKS.search(path):
        wrong = "address contains a line break or a tab; remove it."
    return Refusal(400, wrong) if wrong else None


def _closed(scope: Scope, headers: Headers) -> Refusal | None:
    """Refuses every route that this project does not use."""
    return None if _OPEN.fullmatch(scope["path"]) else Refusal(404, "this page has nothing at this address.")


def _origin(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, as browsers compare them; None for a value that is not a web origin, such as `null`."""
    scheme, _, rest = origin.lower().partition("://")
    found = HOST.fullmatch(rest)
    if found is None or scheme not in _DEFAULT_PORTS:
        return None
    return scheme, found["name"], int(found["port"] or _DEFAULT_PORTS[scheme])


def _same(one: str, other: str) -> bool:
    return (found := _origin(one)) is not None and found == _origin(other)


def _is_address(name: str) -> bool:
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


async def _refuse(status: int, sentence: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends a refusal and ends the connection, because any bytes after the header are unread."""
    allow = {"Allow": ", ".join(_METHODS)} if status == 405 else {}
    answer = JSONResponse({"error": sentence}, status_code=status, headers={"Connection": "close", **allow})
    await answer(scope, receive, send)
