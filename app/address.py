"""Where a request comes from, as far as the server can tell: visitors behind one address share their turns."""

from __future__ import annotations

from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

ADDRESS: ContextVar[str] = ContextVar("address", default="")


class Addressed:
    """Middleware that keeps the client's address for whatever answers the request, also in a thread."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        token = ADDRESS.set(str(client[0]) if client else "")
        try:
            await self._app(scope, receive, send)
        finally:
            ADDRESS.reset(token)
