"""What the page touches inside Gradio is there, in the version that the touch was written for."""

from __future__ import annotations

import asyncio
import inspect
from importlib.metadata import version

import gradio as gr
import pytest
from gradio.context import LocalContext
from gradio.state_holder import SessionState
from gradio.utils import LRUCache

from app.gradio_ui import compat

INSIDES = {  # what is touched, and by what
    "Blocks.call_function": (gr.Blocks, "call_function"),
    "Blocks.preprocess_data": (gr.Blocks, "preprocess_data"),
    "Blocks.queue": (gr.Blocks, "queue"),
    "LocalContext.request": (LocalContext, "request"),
    "LRUCache.popitem": (LRUCache, "popitem"),
    "Block.get_config": (gr.blocks.Block, "get_config"),
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


def test_a_call_reads_no_signature_of_any_widget_and_finds_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    async def complete() -> gr.Blocks:
        with compat.Page() as page:
            gr.Slider(1, 9, value=3, label="width", info="of the student")
            gr.HTML("text", js_on_load="element.x = 1")
            gr.Dropdown([("a", 1), ("b", 2)], value=2, multiselect=True)
        return page

    page = asyncio.run(complete())
    read = SessionState(page).config_values
    compat.keep_configs(page)
    monkeypatch.setattr(gr.blocks.Block, "get_config", lambda *_: pytest.fail("it reads a widget's signature"))
    kept = SessionState(page)
    assert kept.config_values == read
    kept._update_value_in_config(min(kept.config_values), 7)  # as Gradio does for one visitor
    assert SessionState(page).config_values == read
