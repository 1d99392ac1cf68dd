"""All code that uses Gradio's internals, written for Gradio 6.31.0. If one changes, a test fails with a sentence.

Gradio answers every mistake of a caller with 500, like a failure of the server; this module gives the real reason.
Gradio's queue keeps the answers of `PAGES` pages, and ends a stream when its answers are gone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request
from gradio.context import LocalContext
from gradio.queueing import Event, Queue
from gradio.route_utils import FnIndexInferError
from gradio.utils import LRUCache
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.content import messages
from app.fairness.fair_executor import AGAIN
from app.gradio_ui.theme import theme
from app.middleware.client_address import address, answering
from nayer.errors import NayerError

WRITTEN_FOR = "6.31.0"
_FRONT_PAGES = 8  # of 200 kB
PAGES = 300  # pages whose answers wait; more than a class can press Play at once
SESSIONS = 50  # pages whose widgets Gradio keeps, 300 kB each; we keep nothing there, and it would keep 10,000
WAITING = 1024  # pressed buttons that wait for an answer
EACH = 32  # of them from one address: a class presses Play at once
LOOKS_EVERY = 0.05  # s between Gradio's checks for a pressed button; its own 0.001 takes 5 % of a core

log = logging.getLogger(__name__)
_FAULT = "That did not work"
_NO_TAGS = str.maketrans("<>", "‹›")
_COMMANDS = re.compile(r"/gradio_api/((run|api|call)/.+|queue/join|cancel|reset/?)")
_MISFIT = "there is no such endpoint, or it takes other arguments; /gradio_api/info lists all endpoints."


def refused(sentence: str) -> gr.Error:
    """The page shows this error, and a program gets it, in place of an answer. The log has no traceback of it.

    Gradio shows the text as HTML without scripts, and the sentence may quote what somebody typed into a shared link. So
    angle brackets become similar characters.
    """
    return gr.Error(sentence.translate(_NO_TAGS), print_exception=False, title="That does not work")


def event_data(event: gr.EventData) -> dict[str, Any]:
    """The data that the page's script sends beside the form. It is not trusted: a client can send any value."""
    return event._data if isinstance(event._data, dict) else {}


class Page(gr.Blocks):
    """Blocks that give one sentence when a function refuses, or when a component cannot read its value."""

    async def call_function(self, *given: Any, **named: Any) -> Any:
        """Gradio's queue answers in a separate task: only its `requests` show which request it answers."""
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
        """Gradio's own method, but an invalid value becomes a refusal in our words."""
        if block_fn.fn is None:  # the page itself answers this event, without the server
            raise refused(_MISFIT)
        try:
            return await super().preprocess_data(block_fn, inputs, *rest, **named)
        except gr.Error as error:
            raise refused(error.message) from None
        except Exception:  # a component can raise anything for a value that the page never sends
            raise refused(_MISFIT) from None


class Refusals:
    """Middleware: a refusal in words is 422, and invalid arguments are 422; all other errors stay 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _COMMANDS.fullmatch(scope["path"]):
            return await self._app(scope, receive, send)
        held: list[Message] = []  # an answer with status 500 is short, so the whole answer is checked

        async def looked_at(message: Message) -> None:
            if held or (message["type"] == "http.response.start" and message["status"] == 500):
                held.append(message)
            else:
                await send(message)

        misfit = False
        try:
            await self._app(scope, receive, looked_at)
        except (TypeError, KeyError, ValueError, FnIndexInferError) as error:  # Gradio raises these for an unknown name
            log.info("a request did not fit: %s", type(error).__name__)
            misfit = True
        if not held:
            return None
        sentence = _MISFIT if misfit else _sentence_in(b"".join(message.get("body", b"") for message in held))
        if sentence:
            return await JSONResponse({"error": sentence}, status_code=422)(scope, receive, send)
        for message in held:
            await send(message)
        return None


def _sentence_in(body: bytes) -> str:
    """The sentence in an answer of Gradio; empty for an unexpected error."""
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(content, dict) or content.get("title") == _FAULT:
        return ""
    return str(content.get("error") or "")


class PendingMessages(LRUCache[str, Any]):
    """A page's session -> its answers. The oldest page is removed first, together with its waits in `queue`."""

    def __init__(self, queue: Queue) -> None:
        super().__init__(PAGES)
        self._waited_for = queue.pending_event_ids_session

    def __missing__(self, session: str) -> Any:
        """Drops an answer to a removed page; without this it is an error within Gradio's queue."""
        return asyncio.Queue()

    def popitem(self, last: bool = True) -> tuple[str, Any]:
        """Removes and returns the oldest page and its answers. Gradio's waits for this page end too."""
        session, answers = super().popitem(last)
        self._waited_for.pop(session, None)
        return session, answers


async def pushed_in_turn(queue: Queue, push: Callable[..., Coroutine[Any, Any, Any]], **named: Any) -> Any:
    """Adds a pressed button to Gradio's queue, in the turn of its address. Gradio itself serves who comes first.

    Raises 429 where the address has too many that wait, or where the queue is full.
    """
    waiting = [event for one in queue.event_queue_per_concurrency_id.values() for event in one.queue]
    mine = sum(_lane(event) == address() for event in waiting)
    if mine >= EACH or len(waiting) >= WAITING:
        whose = f"of your address wait ({mine})" if mine >= EACH else f"wait ({len(waiting)})"
        raise HTTPException(429, f"Too many requests {whose}; try again in {AGAIN} s.", {"Retry-After": str(AGAIN)})
    told = await push(**named)
    busy = Counter(_lane(event) for job in queue.active_jobs if job is not None for event in job)
    for one in queue.event_queue_per_concurrency_id.values():
        one.queue[:] = in_turns(one.queue, busy)
    return told


def in_turns(events: Sequence[Event], busy: Mapping[str, int]) -> list[Event]:
    """The first event of every address comes before the second of any. `busy`: events that are being answered."""
    ranks = Counter(busy)
    ranked: list[tuple[int, Event]] = []
    for event in events:
        ranked.append((ranks[_lane(event)], event))
        ranks[_lane(event)] += 1
    return [event for _, event in sorted(ranked, key=lambda pair: pair[0])]


def _lane(event: Event) -> str:
    client = event.request.client
    return client.host if client else ""


class Ended:
    """Middleware: if answers are missing, Gradio reports it in its stream and then fails. Here the stream ends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except RuntimeError as error:  # from Starlette: it cannot send a status after an answer has begun
            if not isinstance(error.__cause__, HTTPException):
                raise
            await send({"type": "http.response.body", "body": b""})


class FrontPage:
    """Middleware: the page's HTML is made once for each host name of the page, not once for each visitor.

    Gradio writes out all its settings each time, 20 ms of Python. They hold no data of a visitor, and only the page's
    script reads the part of the address after the question mark.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: LRUCache[tuple[str, str], list[Message]] = LRUCache(_FRONT_PAGES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            return await self._app(scope, receive, send)
        key = scope.get("scheme", "http"), Headers(scope=scope).get("host", "")
        if (kept := self._kept.get(key)) is None:
            kept = []

            async def keep(message: Message) -> None:
                if message["type"] in ("http.response.start", "http.response.body"):
                    kept.append(_copied(message))
                await send(message)

            asked = {**scope, "query_string": b"", "headers": [(b"host", key[1].encode("latin-1"))]}
            await self._app(asked, receive, keep)
            if kept[0].get("status") == 200 and not kept[-1].get("more_body", False):
                self._kept[key] = kept
            return None
        for message in kept:
            await send(_copied(message))
        return None


def _copied(message: Message) -> Message:
    """A copy with its own headers: outer middleware adds some."""
    return {**message, "headers": list(message["headers"])} if "headers" in message else message


def bound_queue(page: gr.Blocks) -> None:
    """Limits what Gradio keeps for pages, what an address has in its queue, and how often it looks there."""
    page.queue(default_concurrency_limit=8)
    page.state_session_capacity = SESSIONS
    queue = page._queue
    queue.pending_messages_per_session = PendingMessages(queue)
    queue.push = partial(pushed_in_turn, queue, queue.push)  # type: ignore[method-assign]
    queue.sleep_when_free = queue.progress_update_sleep_when_free = LOOKS_EVERY


def keep_configs(page: gr.Blocks) -> None:
    """Makes each widget return its present settings, without a new read of its signature.

    Gradio reads the settings of all widgets for every call of a program and for every new page, in the event loop. This
    takes 30 ms for our page. With thirty programs at once, a look at a run waited for seconds. Call this function when
    the page is complete.
    """
    for block in page.blocks.values():
        block.get_config = partial(dict, block.get_config())  # type: ignore[method-assign]


def enter_request(request: Request) -> None:
    """Makes our route count as a Gradio event: a ZeroGPU Space gives its GPU to the visitor of the request."""
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
