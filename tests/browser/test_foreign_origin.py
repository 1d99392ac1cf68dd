"""A page of another local port in a real browser: it starts no run, reads no token, and a link from it works."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from app.environment import Environment
from tests.browser.browsing import PATIENCE
from tests.support.gates import Gate
from tests.support.serving import Served, serving

SITE = b'<!doctype html><meta charset="utf-8"><title>another site</title><body></body>'
START = {"data": ["digits", "nayer", 0, "lte", 1, {}, ""]}

# What such a page can try. Each attempt resolves to all that it came to know.
ATTEMPTS = """
async ({ url, start }) => {
  const within = (promise) => Promise.race([promise, new Promise((end) => setTimeout(() => end("nothing"), 3000))]);
  const loads = (tag, attributes) => new Promise((end) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.onload = () => end("loaded");
    element.onerror = () => end("refused");
    document.body.append(element);
  });
  const fetched = async (path, options) => {
    try {
      const answer = await fetch(url + path, options);
      return `${answer.type} ${answer.status} ${await answer.text()}`;
    } catch {
      return "refused";
    }
  };
  const json = { "Content-Type": "application/json" };
  const post = (path, content, headers, mode) => {
    const body = JSON.stringify(content);
    return fetched(path, { method: "POST", body, headers, mode });
  };
  const streamed = new Promise((end) => {
    const source = new EventSource(url + "/gradio_api/queue/data?session_hash=mine");
    source.onmessage = ({ data }) => end(data);
    source.onerror = () => { source.close(); end("refused"); };
  });
  const form = (path, kind) => new Promise((end) => {
    const made = (tag, attributes) => Object.assign(document.createElement(tag), attributes);
    const frame = made("iframe", { name: "f" + Math.random() });
    frame.onload = () => end("sent");
    const sent = made("form", { method: "post", action: url + path, target: frame.name, enctype: kind });
    sent.append(made("input", { name: JSON.stringify(start).slice(0, -1) + ',"x":"', value: '"}' }));
    document.body.append(frame, sent);
    sent.submit();
  });
  const join = { ...start, fn_index: 0, session_hash: "mine" };
  return {
    cors: await post("/gradio_api/run/start", start, json, "cors"),
    simple: await post("/gradio_api/run/start", start, { "Content-Type": "text/plain" }, "cors"),
    blind: await post("/gradio_api/run/start", start, {}, "no-cors"),
    call: await post("/gradio_api/call/start", start, json, "cors"),
    joins: await post("/gradio_api/queue/join", join, { "Content-Type": "text/plain" }, "no-cors"),
    command: await post("/command/start_lab", ["reset", "digits", 0, 2.0], json, "cors"),
    config: await fetched("/config", { credentials: "include" }),
    status: await fetched("/live/recording/status", {}),
    stream: await within(streamed),
    plain: await within(form("/gradio_api/run/start", "text/plain")),
    files: await within(form("/bring", "multipart/form-data")),
    beacon: String(navigator.sendBeacon(url + "/gradio_api/run/start", JSON.stringify(start))),
    script: await within(loads("script", { src: url + "/live/recording/status" })),
    image: await within(loads("img", { src: url + "/live/recording/sheet.png" })),
  };
}
"""


class Site(BaseHTTPRequestHandler):
    """Another site, one page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(SITE)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def another() -> Iterator[int]:
    """The port on which another site is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(Gate().opener, Environment(grace_seconds=60.0)) as served:
        yield served


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_port_starts_nothing_and_reads_nothing(
    page: Page, served: Served, another: int, host: str
) -> None:
    page.goto(f"http://{host}:{another}/")
    for name in ("127.0.0.1", "localhost"):
        url = served.url.replace("127.0.0.1", name)
        came = page.evaluate(ATTEMPTS, {"url": url, "start": START})
        for what, known in came.items():
            assert known in ("refused", "nothing", "sent", "true") or known.split()[:2] == ["opaque", "0"], (
                what,
                known,
            )
            assert "token" not in known
    assert served.registry.counters.runs() == {}
    assert served.registry.counts()["running"] == 0


def test_a_link_from_another_site_opens_the_page_which_then_works(page: Page, served: Served, another: int) -> None:
    page.goto(f"http://localhost:{another}/")
    page.evaluate("url => { location.href = url; }", served.url)
    page.wait_for_selector(".bar .play")
    begun = page.evaluate(
        "async (start) => (await fetch('/gradio_api/run/start', { method: 'POST', body: JSON.stringify(start),"
        " headers: { 'Content-Type': 'application/json' } })).json()",
        START,
    )
    assert begun["data"][0]["token"], json.dumps(begun)
    assert served.registry.counters.runs() == {"asked for": 1}
