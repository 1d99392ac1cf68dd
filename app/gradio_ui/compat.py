"""All that relies on Gradio's internals, written for Gradio 6.31.0: a test fails in a sentence when one changes.

What a caller did wrong is told as that, where Gradio answers all of it with 500, as if the server had failed. Gradio's
queue keeps the answers of as many pages as `PAGES`, and ends a stream whose answers are gone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
from functools import partial
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request
from gradio.context import LocalContext
from gradio.queueing import Queue
from gradio.route_utils import FnIndexInferError
from gradio.utils import LRUCache
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.content import messages
from app.gradio_ui.theme import theme
from app.middleware.client_address import answering
from nayer.errors import NayerError

WRITTEN_FOR = "6.31.0"
PAGES = 300  # whose answers wait to be fetched; a class and more presses Play at once
SESSIONS = 50  # pages whose widgets Gradio keeps, 300 kB each; we keep nothing there, and it would keep 10,000
LOOKS_EVERY = 0.05  # s, between Gradio's looks at whether anybody pressed a button; its 0.001 takes 5 % of a core

log = logging.getLogger(__name__)
_FAULT = "That did not work"
_COMMANDS = re.compile(r"/gradio_api/((run|api|call)/.+|queue/join|cancel|reset/?)")
_MISFIT = "there is no such endpoint, or it takes other arguments; /gradio_api/info lists all endpoints."


def refused(sentence: str) -> gr.Error:
    """What the page shows in the place of an answer, and a program gets for one; the log has no traceback of it."""
    return gr.Error(sentence, print_exception=False, title="That does not work")


def event_data(event: gr.EventData) -> dict[str, Any]:
    """What the page's script says beside the form; anybody may send anything in its place."""
    return event._data if isinstance(event._data, dict) else {}


class Page(gr.Blocks):
    """Blocks that tell in one sentence what a function refuses, and what a component cannot read."""

    async def call_function(self, *given: Any, **named: Any) -> Any:
        """Gradio's queue answers in a task of its own: whose request it is, only its `requests` tell."""
        request = next((one for one in (named.get("requests"), *given) if isinstance(one, gr.Request)), None)
        client = request.client if request is not None else None
        try:
            with answering(str(client.host) if client else ""):
                return await super().call_function(*given, **named)
        except (gr.Error, NayerError) as error:
            raise error if isinstance(error, gr.Error) else refused(str(error)) from None
        except Exception as error:
            number = secrets.token_hex(4)
            log.error("a command failed, error %s", number, exc_info=error)
            raise gr.Error(messages.FAULT.format(number=number), print_exception=False, title=_FAULT) from None

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *rest: Any, **named: Any) -> Any:
        """Gradio's own; what does not fit becomes a refusal in our words."""
        if block_fn.fn is None:  # an event that the page answers by itself
            raise refused(_MISFIT)
        try:
            return await super().preprocess_data(block_fn, inputs, *rest, **named)
        except gr.Error as error:
            raise refused(error.message) from None
        except Exception:  # whatever a component makes of a value that the page would never send
            raise refused(_MISFIT) from None


class Refusals:
    """Middleware: a refusal in words is 422, and so are arguments that do not fit; what is neither stays 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _COMMANDS.fullmatch(scope["path"]):
            return await self._app(scope, receive, send)
        held: list[Message] = []  # an answer that begins with 500 is short and is looked at whole

        async def looked_at(message: Message) -> None:
            if held or (message["type"] == "http.response.start" and message["status"] == 500):
                held.append(message)
            else:
                await send(message)

        misfit = False
        try:
            await self._app(scope, receive, looked_at)
        except (TypeError, KeyError, ValueError, FnIndexInferError) as error:  # so Gradio takes a name it does not know
            log.info("a request did not fit: %s", type(error).__name__)
            misfit = True
        if not held:
            return None
        said = _MISFIT if misfit else _said(b"".join(message.get("body", b"") for message in held))
        if said:
            return await JSONResponse({"error": said}, status_code=422)(scope, receive, send)
        for message in held:
            await send(message)
        return None


def _said(body: bytes) -> str:
    """The sentence in an answer of Gradio's; empty for what nobody foresaw."""
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(content, dict) or content.get("title") == _FAULT:
        return ""
    return str(content.get("error") or "")


class PendingMessages(LRUCache[str, Any]):
    """A page's session -> its answers; the oldest page goes first, and with it what `queue` waits for on its behalf."""

    def __init__(self, queue: Queue) -> None:
        super().__init__(PAGES)
        self._waited_for = queue.pending_event_ids_session

    def __missing__(self, session: str) -> Any:
        """What is said to a page that was forgotten goes nowhere; it would be an error within Gradio's queue."""
        return asyncio.Queue()

    def popitem(self, last: bool = True) -> tuple[str, Any]:
        """The oldest page and its answers; with it goes what Gradio waits for on its behalf."""
        session, answers = super().popitem(last)
        self._waited_for.pop(session, None)
        return session, answers


class Ended:
    """Middleware: where answers are not here Gradio says so in its stream, and then fails over it; here it ends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except RuntimeError as error:  # of Starlette, which can send no status once an answer has begun
            if not isinstance(error.__cause__, HTTPException):
                raise
            await send({"type": "http.response.body", "body": b""})


def bound_queue(page: gr.Blocks) -> None:
    """Bounds what Gradio keeps for pages, and how often it looks whether anybody pressed a button."""
    page.queue(default_concurrency_limit=8, max_size=256)
    page.state_session_capacity = SESSIONS
    queue = page._queue
    queue.pending_messages_per_session = PendingMessages(queue)
    queue.sleep_when_free = queue.progress_update_sleep_when_free = LOOKS_EVERY


def keep_configs(page: gr.Blocks) -> None:
    """Has each widget tell its settings as they are now, without reading its signature again.

    Gradio asks all of them at every call of a program and for every new page, in the event loop: 30 ms for ours, and
    thirty programs that asked at once kept a look at a run waiting for seconds. Call it when the page is complete.
    """
    for block in page.blocks.values():
        block.get_config = partial(dict, block.get_config())  # type: ignore[method-assign]


def enter_request(request: Request) -> None:
    """Has a route of ours count as one of Gradio's events: a ZeroGPU Space lends its GPU to whoever asks."""
    LocalContext.request.set(gr.Request(request))


def mount(application: FastAPI, page: gr.Blocks, head: str) -> None:
    """Serves the page at /, with `head` in its HTML."""
    gr.mount_gradio_app(
        application,
        page,
        path="/",
        theme=theme(),
        head=head,
        footer_links=["api"],
        show_error=False,
        max_file_size="1mb",
        run_history=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
    )
    keep_configs(page)
