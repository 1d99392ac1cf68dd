"""Other sites at every door with every verb, proxies that nobody named, and characters that no text may hold in every
place of a request that holds one: at real servers."""

from __future__ import annotations

import json
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx

from tests.browser.foreign import BAD, PROXIES, foreign
from tests.reliability.booting import Application
from tests.reliability.bystander import UNHARMED, Bystander
from tests.reliability.figure import Figure
from tests.support.serving import created
from tests.support.strangers import VERBS, Endpoints, Stranger, Try

WATCHER = Stranger("watches what is shipped", "recording", "x" * 32)


class Asker:
    """Asks and notes what must not be."""

    def __init__(self, page: Application) -> None:
        self.page = page
        self.client = httpx.Client(base_url=page.url, timeout=30.0)
        self.statuses: Counter[int] = Counter()  # of all answers
        self.wrong: list[str] = []

    def ask(self, one: Try, borne: tuple[int, ...], **more: Any) -> httpx.Response:
        """Notes any other status than those, headers that are missing, and leave for another site to read."""
        answer = self.client.request(one.method, one.path, **more)
        self.statuses[answer.status_code] += 1
        for what, is_so in (
            (f"status {answer.status_code}", answer.status_code not in borne),
            ("no policy", "content-security-policy" not in answer.headers),
            ("may be read elsewhere", any(name.startswith("access-control") for name in answer.headers)),
        ):
            if is_so:
                self.wrong.append(f"{one.method} {one.path[:60]} {str(more)[:80]!r}: {what}")
        return answer


def _spoiled(value: Any, text: str) -> Iterator[Any]:
    """The JSON value once for each of its texts and names, with `text` in that place."""
    if isinstance(value, str):
        yield text
    for place, inner in (
        value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    ):
        for other in _spoiled(inner, text):
            if isinstance(value, dict):
                yield {**value, place: other}
            else:
                yield [*value[:place], other, *value[place + 1 :]]
    if isinstance(value, dict):
        yield {**value, text: 1}


def _origins(asker: Asker, tries: list[Try]) -> int:
    """Every way to be another site, at every route with every verb; returns how many routes."""
    endpoints = {(one.route, one.method): one for one in tries}  # one try of each
    for headers in foreign(asker.page.url):
        for (_, method), one in endpoints.items():
            refused = 403 if method in ("GET", "HEAD", "POST") else 405
            asker.ask(one, (refused,), headers=headers, json=one.body)
    return len({route for route, _ in endpoints})


def _texts(asker: Asker, tries: list[Try]) -> None:
    for text in BAD:
        for one in tries:
            if one.method == "POST" and one.route != "/bring":
                for body in _spoiled(one.body, text):
                    headers = {"Content-Type": "application/json"}
                    asker.ask(one, (400,), content=json.dumps(body), headers=headers)
            elif one.method == "GET" and text.isascii():  # an address holds bytes
                parts = one.path.split("/")
                for place in range(1, len(parts)):
                    path = "/".join([*parts[:place], parts[place] + quote(text), *parts[place + 1 :]])
                    asker.ask(Try(one.route, "GET", path), (400,))
                for query in (f"since={quote(text)}", f"{quote(text)}=1"):
                    asker.ask(Try(one.route, "GET", f"{one.path}?{query}"), (400,))
        escaped = text.encode("utf-8", "surrogatepass")
        for field in ("classes", "token"):
            bring = Try("/bring", "POST", "/bring")
            form = {field: (None, escaped), "config": ("x", b"{}"), "weights": ("x", b"x")}
            told = asker.ask(bring, (200, 400), files=form).json()
            if "error" not in told:
                asker.wrong.append(f"/bring took {text!a} for {field}")


def _proxies(alone: Asker, shared: Asker, behind: Asker) -> None:
    config, start = Try("", "GET", "/config"), Try("", "POST", "/gradio_api/run/start")
    folder = {"data": ["/etc", "nayer", 0, "lte", 1, {}, ""]}
    for name in PROXIES:
        alone.ask(config, (400,), headers={name: "evil.example"})
        told = shared.ask(config, (200,), headers={name: "evil.example"})
        if told.status_code == 200 and told.json()["root"] != shared.page.url:
            shared.wrong.append(f"{name} set the root to {told.json()['root']}")
    for asker in (shared, behind):
        asker.ask(start, (422,), json=folder)
    behind.ask(config, (400,), headers={"X-Forwarded-Host": "evil.example"})
    tls = {"X-Forwarded-Host": "my.example", "X-Forwarded-Proto": "https"}
    if behind.ask(config, (200,), headers=tls).json()["root"] != "https://my.example":
        behind.wrong.append("a proxy that was named is not believed")
    stop = Try("", "POST", "/command/stop")
    behind.ask(stop, (200,), headers=tls | {"Origin": "https://my.example"}, json=["x", "y"])
    behind.ask(stop, (403,), headers=tls | {"Origin": "http://my.example"}, json=["x", "y"])


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        settings: list[dict[str, str]] = [
            {},
            {"NAYER_HOSTS": "my.example"},
            {"NAYER_HOSTS": "my.example", "NAYER_PROXY": "1"},
        ]
        askers = [
            Asker(Application(Path(folder) / str(number), HOST="127.0.0.1", **chosen))  # type: ignore[arg-type]
            for number, chosen in enumerate(settings)
        ]
        alone = askers[0]
        endpoints = Endpoints(SimpleNamespace(application=created()), alone.client)  # type: ignore[arg-type]
        bystander = Bystander(alone.page)
        runs = alone.page.get("health")["runs"]
        with bystander.beside(""):
            routes = _origins(alone, list(endpoints.tries(WATCHER, thorough=True)))
            _texts(alone, list(endpoints.tries(WATCHER, thorough=False)))
            _proxies(*askers)
        own = alone.client.get("/health", headers={"Origin": alone.page.url, "Sec-Fetch-Site": "same-origin"})
        wrong = [one for asker in askers for one in asker.wrong]
        if own.status_code != 200 or own.json()["runs"] != runs:
            wrong.append(f"its own page got {own.status_code}, runs {own.text[:200]}")
        bystander.statuses += alone.statuses
        noticed = bystander.after()
        for asker in askers:
            asker.client.close()
            asker.page.end(signal.SIGKILL)
    return Figure(
        22,
        "ways to be another site × routes × verbs; headers of proxies that nobody named; bad texts in every place of "
        "every request",
        f"0 accepted, 0 answers without the headers; {UNHARMED}",
        f"{len(foreign(alone.page.url))} ways × {routes} routes × {len(VERBS)} verbs and {len(BAD)} texts: "
        f"{sum(asker.statuses.total() for asker in askers):,} requests, {len(wrong)} otherwise"
        + "".join(f"; {one}" for one in wrong[:3])
        + f"; {noticed}",
        not wrong and noticed.held,
    )
