"""A source of events that waits until the test opens a gate, so the test decides how long a run lasts."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from app.runs.plan import Plan
from nayer.config import Config
from nayer.events import Event
from tests.support.scripted import Scripted, script


class Gate:
    """Every run gives its first event, then waits for `open`; `begun` says which seeds have begun."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun: list[int] = []  # two runs that begin together may have either order

    def opener(self, plan: Plan) -> Scripted:
        [config] = plan.configs
        self.begun.append(config.seed)
        return Scripted(lambda: self._events(config))

    def _events(self, config: Config) -> Iterator[Event]:
        events = script(config)
        yield next(events)
        while not self.open.wait(0.02):
            yield next(script(config))  # a session can stop only between two events
        yield from events
