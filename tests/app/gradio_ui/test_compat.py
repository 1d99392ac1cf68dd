"""What the page touches inside Gradio is there, in the version that the touch was written for."""

from __future__ import annotations

import asyncio
import inspect
from importlib.metadata import version
from typing import Any

import gradio as gr
import gradio.routes
import pytest
from fastapi.testclient import TestClient
from gradio.context import LocalContext
from gradio.state_holder import SessionState
from gradio.utils import LRUCache
from starlette.routing import Mount

from app.environment import LOOPBACK, Environment
from app.gradio_ui import compat
from tests.support.serving import created

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
        queue = ("pending_messages_per_session", "pending_event_ids_session", "sleep_when_free", "active_jobs")
        for name in (*queue, "event_queue_per_concurrency_id", "push"):
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


def test_the_page_is_written_out_once_for_each_host_and_is_what_gradio_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    write = gradio.routes.templates.TemplateResponse

    def counting(*given: Any, **named: Any) -> Any:
        made.append(str(named["request"].url))
        return write(*given, **named)

    monkeypatch.setattr(gradio.routes.templates, "TemplateResponse", counting)
    client = TestClient(created(), base_url="http://127.0.0.1:7860")
    first = client.get("/")
    again = [client.get("/", params={"run": f"r{number}"}) for number in range(5)]
    assert made == ["http://127.0.0.1:7860/"]
    assert {answer.text for answer in again} == {first.text}
    assert all(answer.headers == first.headers for answer in again)
    assert "window.gradio_config" in first.text
    assert '"root":"http://127.0.0.1:7860"' in first.text
    assert '"root":"http://localhost:81"' in client.get("/", headers={"Host": "localhost:81"}).text


def test_pressed_buttons_are_answered_in_turns_of_their_addresses_and_none_fills_the_queue() -> None:
    application = created(environment=Environment(proxies=LOOPBACK))
    [gradio_app] = [route.app for route in application.routes if isinstance(route, Mount)]
    queue = gradio_app.get_blocks()._queue  # type: ignore[attr-defined]
    client = TestClient(application, base_url="http://127.0.0.1", client=("127.0.0.1", 1))
    queue.active_jobs = []  # nothing is answered

    def pressed(address: str, session: str) -> int:
        body = {"data": ["nayer"], "fn_index": 0, "session_hash": session, "trigger_id": 0}
        answer = client.post("/gradio_api/queue/join", json=body, headers={"X-Forwarded-For": address})
        if answer.status_code != 200:
            assert answer.headers["Retry-After"] == "5"
        return answer.status_code

    hogs = [f"10.0.0.{number}" for number in range(1, 10)]
    for hog in hogs:
        statuses = [pressed(hog, f"{hog} {number}") for number in range(compat.EACH + 5)]
        assert statuses == [200] * compat.EACH + [429] * 5
    assert pressed("10.0.0.99", "guest") == 200
    [waiting] = [one.queue for one in queue.event_queue_per_concurrency_id.values() if one.queue]
    assert [event.session_hash for event in waiting].index("guest") == len(hogs)  # only their first ones come before it
    assert [event.session_hash for event in waiting if compat._lane(event) == hogs[0]] == [
        f"{hogs[0]} {number}" for number in range(compat.EACH)
    ]


def test_a_refusal_holds_no_tag_that_the_page_would_take_for_html():
    error = compat.refused("'<a href=//x>log in</a>' is no name; use letters.")
    assert str(error.message) == "'‹a href=//x›log in‹/a›' is no name; use letters."
