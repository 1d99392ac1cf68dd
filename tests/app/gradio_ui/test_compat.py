"""What the page touches inside Gradio is there, in the version that the touch was written for."""

from __future__ import annotations

import asyncio
import inspect
from importlib.metadata import version

import gradio as gr
import pytest
from gradio.context import LocalContext
from gradio.utils import LRUCache

from app.gradio_ui import compat

INSIDES = {  # what is touched, and by what
    "Blocks.call_function": (gr.Blocks, "call_function"),
    "Blocks.preprocess_data": (gr.Blocks, "preprocess_data"),
    "Blocks.queue": (gr.Blocks, "queue"),
    "LocalContext.request": (LocalContext, "request"),
    "LRUCache.popitem": (LRUCache, "popitem"),
}


def test_gradio_is_the_version_that_compat_was_written_for() -> None:
    installed = version("gradio")
    assert installed == compat.WRITTEN_FOR, (
        f"Gradio is {installed}, and app/gradio_ui/compat.py was written for {compat.WRITTEN_FOR}: read what "
        "changed in the places that compat touches, then change WRITTEN_FOR."
    )


@pytest.mark.parametrize("touched", INSIDES)
def test_what_compat_overrides_or_reads_is_still_there(touched: str) -> None:
    owner, name = INSIDES[touched]
    assert hasattr(owner, name), f"Gradio has no {touched} any more; app/gradio_ui/compat.py needs it."


def test_a_queue_has_what_compat_bounds() -> None:
    async def bounded() -> gr.Blocks:  # within an event loop, or Gradio makes one that nobody closes
        page = compat.Page()
        for name in ("pending_messages_per_session", "pending_event_ids_session", "sleep_when_free"):
            assert hasattr(page._queue, name), f"Gradio's queue has no {name} any more; compat.py needs it."
        compat.bound_queue(page)
        return page

    page = asyncio.run(bounded())
    assert isinstance(page._queue.pending_messages_per_session, compat.PendingMessages)
    assert page.state_session_capacity == compat.SESSIONS


def test_call_function_is_told_whose_request_it_answers() -> None:
    assert "requests" in inspect.signature(gr.Blocks.call_function).parameters, (
        "Gradio's call_function takes no `requests` any more; app/gradio_ui/compat.py reads the client's address there."
    )
