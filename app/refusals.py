"""What a caller did wrong is told as that: Gradio answers all of it with 500, as if the server had failed."""

from __future__ import annotations

import json
import logging
import re
import secrets
from typing import Any

import gradio as gr
from gradio.route_utils import FnIndexInferError
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import text
from nayer.errors import NayerError

log = logging.getLogger(__name__)
_FAULT = "That did not work"
_COMMANDS = re.compile(r"/gradio_api/((run|api|call)/.+|queue/join|cancel|reset/?)")
_MISFIT = "there is no such endpoint, or it takes other arguments; /gradio_api/info lists them."


def refused(sentence: str) -> gr.Error:
    """What the page shows in the place of an answer, and a program gets for one; the log has no traceback of it."""
    return gr.Error(sentence, print_exception=False, title="That does not work")


def told(event: gr.EventData) -> dict[str, Any]:
    """What the page's script says beside the form; anybody may send anything in its place."""
    return event._data if isinstance(event._data, dict) else {}


class Page(gr.Blocks):
    """Blocks that tell in one sentence what a function refuses, and what a component cannot read."""

    async def call_function(self, *given: Any, **named: Any) -> Any:
        try:
            return await super().call_function(*given, **named)
        except (gr.Error, NayerError) as error:
            raise error if isinstance(error, gr.Error) else refused(str(error)) from None
        except Exception as error:
            number = secrets.token_hex(4)
            log.error("a command failed, error %s", number, exc_info=error)
            raise gr.Error(text.FAULT.format(number=number), print_exception=False, title=_FAULT) from None

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *rest: Any, **named: Any) -> Any:
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
