"""Tries every route of the running application as each visitor who does not own the data behind it."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.routing import Mount

from app.api.command_routes import NAMES
from app.api.commands import Commands
from app.embeddings.explorer import Explorer
from app.environment import LOOPBACK, Environment
from app.middleware import security
from app.runs.live_run import LiveRun, hashed
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.storage.run_store import Store
from nayer.compare.experiments import Arm
from tests.support.gates import Gate
from tests.support.scripted import SHORT
from tests.support.serving import created, wait_until

SEED = 987_654_321  # of the victims' runs: a stranger must not see it
PAST = "interrupted-run-"  # an id
GUESSED = "AAAAAAAAAAAAAAAA"
ENDLESS = "/gradio_api/heartbeat/{session_hash}"  # has no visitor's data, and does not end until the client leaves
READING = "/live/{run}/"  # only a watch link opens it
VERBS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
HEAVY = ("/live/{run}/umap", "/live/{run}/sheet.png")  # seconds of a core each


def routes(found: Iterable[Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Path and verbs of all routes of an application, with included and mounted ones."""
    for route in found:
        if hasattr(route, "original_router"):
            yield from routes(route.original_router.routes)
        elif isinstance(route, Mount):
            yield from routes(route.routes)
        else:
            yield route.path, tuple(sorted(route.methods or ()))


def is_open(path: str) -> bool:
    """Whether the gate lets anybody through to that route."""
    return bool(security._OPEN.fullmatch(re.sub(r"\{\w+(:path)?\}", "x", path)))


@dataclass(frozen=True)
class Stranger:
    """The sender of a request: the id and the token that they send."""

    who: str
    run: str
    token: str

    @property
    def session(self) -> str:
        """Gradio's name for their page."""
        return hashed(self.who + self.run)[:12]

    @property
    def watches(self) -> bool:
        """Whether they were given the watch link."""
        return self.run != GUESSED


class House:
    """The application with a run that runs, one that waits and one that was interrupted, each of another owner."""

    def __init__(self, folder: Path) -> None:
        self.token = "the token of who was interrupted"
        past = Store(folder)
        past.begin(PAST, hashed(self.token), self._plan().to_json())
        past.flush()
        past.close()
        self.gate = Gate()
        self.application: FastAPI = created(
            self.gate.opener, Environment(capacity=1, data=folder, grace_seconds=3600.0, proxies=LOOPBACK)
        )
        self.registry: RunManager = self.application.state.registry
        self.running, self.waiting = (
            self.registry.start(self._plan(), self.registry.visitor(""), lane=lane) for lane in ("a", "b")
        )
        self.victims = (self.running, self.waiting, self.registry.find(PAST))
        self.other = self.registry.visitor("")  # a visitor of whom we know, with nothing of their own
        wait_until(lambda: self.running.refresh().started is not None)

    def _plan(self) -> Plan:
        return Plan((Arm("canary", SHORT.model_copy(update={"seed": SEED})),))

    @property
    def secrets(self) -> list[str]:
        """The private data of all owners, which others must not see."""
        tokens = [self.running.owner, self.waiting.owner, self.token]
        return tokens + [hashed(token) for token in tokens]

    def strangers(self, victim: LiveRun) -> list[Stranger]:
        """All who are not its owner."""
        return [
            Stranger("guesses an id, with another's token", GUESSED, self.other),
            Stranger("watches, with another's token", victim.id, self.other),
            Stranger("guesses an id", GUESSED, ""),
            Stranger("watches", victim.id, ""),
            Stranger("watches, with a made-up token", victim.id, "x" * 32),
            Stranger("watches, with the token's hash", victim.id, victim.owner_hash),
            Stranger("watches, with the id for a token", victim.id, victim.id),
        ]

    def state(self) -> list[object]:
        """Everything of the victims that a command could change."""
        owners = [self.registry._visitors.run(run.owner) for run in self.victims]
        return [(run.id, run.state, run.owner, run.owner_hash, run.pace, run.plan) for run in self.victims] + [
            [self.registry.find(run.id).state for run in self.victims],
            [self.registry._scheduler.ahead(run) for run in self.victims[:1]],
            self.running.session._step_to,
            owners,
        ]


@dataclass(frozen=True)
class Try:
    """One request: a route of the application, and the content of the request."""

    route: str
    method: str
    path: str
    body: object = None


@dataclass
class Found:
    """`leaks`: the data and actions that a stranger got without permission."""

    requests: int = 0
    routes: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    leaks: list[tuple[str, Try, str]] = field(default_factory=list)


class Endpoints:
    """The open routes of a house with all that can be asked of each: enumerated, so that a new one is tried as well."""

    def __init__(self, house: House, client: httpx.Client) -> None:
        self.routes = sorted({(path, known) for path, known in routes(house.application.routes) if is_open(path)})
        self._names = [name[1:] for name in client.get("/gradio_api/info").json()["named_endpoints"]]
        self._events = client.get("/config").json()["dependencies"]

    def tries(self, stranger: Stranger, *, thorough: bool) -> Iterator[Try]:
        """As that stranger would fill them in; `thorough`: with every verb, and every command by every way to it."""
        for route, known in self.routes:
            for method in VERBS if thorough else known:
                if method != "POST":
                    yield Try(route, method, _address(route, stranger))
                    continue
                for path, body in self._filled(route, stranger, thorough=thorough):
                    yield Try(route, method, _address(path, stranger), body)

    def _filled(self, route: str, stranger: Stranger, *, thorough: bool) -> Iterator[tuple[str, object]]:
        """A route that takes a body, once for everything that can be asked for there."""
        if route == "/command/{name}":
            for name in NAMES:
                yield route.replace("{name}", name), list(_arguments(name, stranger).values())
        elif "{api_name}" in route:
            for name in self._names if thorough or route == "/gradio_api/run/{api_name}" else ["stop"]:
                given = _arguments(name, stranger)
                path = route.replace("{api_name}", name)
                # With a session Gradio need not make a new one of 300 kB for each.
                whole = {"data": list(given.values()), "session_hash": stranger.session}
                yield path, given if "/v2/" in route else whole
        elif route.endswith("/try"):
            yield route, {"pixels": [0] * 64}
        else:
            asked = {"run": stranger.run, "token": stranger.token, "asked": "1-1"}
            every = {
                "session_hash": stranger.session,
                "event_id": "e",
                "event_data": asked,
                "fn_index": 0,
                "data": [],
            } | asked
            yield route, every
            for event in self._events if route.endswith("/queue/join") else ():
                if event["api_visibility"] != "private" and not thorough:
                    continue
                yield route, every | {"fn_index": event["id"], "data": [None] * len(event["inputs"])}


def _arguments(name: str, stranger: Stranger) -> dict[str, object]:
    """What a command takes, in order: the stranger's id and token, and what would do for the rest."""
    fitting = {"run": stranger.run, "token": stranger.token, "label": 0, "settings": {"rounds": 9}, "names": ["a", "b"]}
    fitting |= {"place": "live", "address": "http://127.0.0.1/", "name": "mine", "notes": "a note"}
    method = getattr(Commands, name, None) or getattr(Explorer, name)
    parameters = list(inspect.signature(method).parameters.values())[1:]
    return {one.name: fitting.get(one.name, one.default) for one in parameters}


def _address(path: str, stranger: Stranger) -> str:
    known = {"run": stranger.run, "session_hash": stranger.session, "event_id": "e", "name": "stop", "api_name": "stop"}
    filled = re.sub(r"\{(\w+)(:path)?\}", lambda found: known.get(found[1], "0"), path)
    asked = {"/queue/data": f"session_hash={stranger.session}", "/tested.jpg": "places=0"}
    return next((f"{filled}?{query}" for end, query in asked.items() if filled.endswith(end)), filled)


def tried(
    house: House,
    client: httpx.Client,
    victims: Sequence[LiveRun],
    *,
    strangers: int = 7,
    thorough: bool = False,
    left_out: Sequence[str] = (),
) -> Found:
    """Tries all routes as the first `strangers` of each victim. Stops at the first request that changes anything."""
    found, endpoints = Found(), Endpoints(house, client)
    for victim in victims:
        for stranger in house.strangers(victim)[:strangers]:
            before = house.state()
            for one in endpoints.tries(stranger, thorough=thorough):
                if one.route == ENDLESS or (stranger.watches and one.route in left_out):
                    continue
                found.requests += 1
                found.routes.add(one.route)
                answer = _asked(client, one, found.requests)
                found.leaks += [(stranger.who, one, what) for what in _wrong(house, stranger, victim, one, answer)]
                if house.state() != before:
                    after = [str(new) for new, old in zip(house.state(), before, strict=True) if new != old]
                    found.leaks.append((stranger.who, one, f"changed a run: {after}"))
                    return found
                if stranger.watches and one.method == "GET" and answer.status_code == 200:
                    found.read.add(one.route)
    return found


def _asked(client: httpx.Client, one: Try, number: int) -> httpx.Response:
    """Each from another address, as if a proxy of ours had said so: no limit by address is what keeps them out."""
    address = f"8.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return client.request(one.method, one.path, json=one.body, headers={"X-Forwarded-For": address})


def _wrong(house: House, stranger: Stranger, victim: LiveRun, one: Try, answer: httpx.Response) -> Iterator[str]:
    told = answer.text + json.dumps(dict(answer.headers))
    if any(secret in told for secret in house.secrets if secret != stranger.token):
        yield "an owner's token"
    if not stranger.watches and (victim.id in told or str(SEED) in told):
        yield "a run"
    if "Traceback" in told or '.py"' in told or str(Path.home()) in told:
        yield "the inside of the server"
    if answer.status_code >= 500:
        yield f"status {answer.status_code}"
    missing = (404, 405)  # 405: no run is read by this method, whichever it is
    if (
        one.route.startswith(READING)
        and one.method == "GET"
        and not stranger.watches
        and answer.status_code not in missing
    ):
        yield f"status {answer.status_code} for a run that is not there"
