"""Recorded runs that can be played: the one that greets visitors, and runs that have ended."""

from __future__ import annotations

import threading
from pathlib import Path

from cachetools import LRUCache

from app.run_state.replay import Replay
from app.runs.live_run import NOBODY, LiveRun, Source
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.runs.registry import NoSuchRun
from nayer.errors import ConfigError, StorageError
from nayer.events import Event, RunStarted
from nayer.exports import recording
from nayer.exports.reproduce import known
from nayer.runs.session import Session

SHIPPED = "recording"  # the address of the one that greets
FOLDED = 8  # replays that are kept, the latest


class Recordings:
    """For any thread. `greeting`: the file that plays on arrival, or None."""

    def __init__(self, registry: RunManager, greeting: Path | None = None) -> None:
        """StorageError where the greeting is no recording."""
        self._registry = registry
        self._lock = threading.Lock()
        self._replays: LRUCache[str, Replay] = LRUCache(FOLDED)
        self.greets = greeting is not None
        if greeting is not None:
            self._greeting = recording.load(greeting)
            registry.pin(_as_run(self._greeting, SHIPPED))

    def of(self, run_id: str) -> Replay:
        """NoSuchRun for an unknown run, ConfigError for one that still goes on."""
        if not self._registry.has(run_id):
            raise NoSuchRun(f"run={run_id[:40]!r} does not exist, or is no longer kept.")
        with self._lock:
            if run_id not in self._replays:
                self._replays[run_id] = Replay(self.events(run_id))
            return self._replays[run_id]

    def events(self, run_id: str) -> list[Event]:
        """The kept events of a run, thinned. It raises the same errors as `of`."""
        if run_id == SHIPPED and self.greets:
            return self._greeting
        run = self._registry.find(run_id)
        check_ended(run)
        store = self._registry.keeping.store
        kept = store.events(run_id) if store is not None else []
        tape = recording.Tape()
        for event in kept or run.session.snapshot():
            tape.add(event)
        if not any(isinstance(event, RunStarted) for event in tape.events):
            raise NoSuchRun(f"run={run_id[:40]!r} ended before its first round, so there is nothing to play.")
        return tape.events


def check_ended(run: LiveRun) -> None:
    """ConfigError for a run that still goes on."""
    if not run.ended:
        raise ConfigError("this run is still in progress; it can be played and saved after its end.")


def _as_run(events: list[Event], run_id: str) -> LiveRun:
    """The recording as a past run, so that it answers all requests that a past run answers."""
    started = next(event for event in events if isinstance(event, RunStarted))
    try:
        config = known(started.config)
        session: Session[Source] = Session(_nothing_to_run)
        run = LiveRun(Plan.alone(config), "", session, run_id, owner_hash=NOBODY, waiting=False)
        run.recall(event for event in events if event.arm == 0)
        session.recall(events, "finished")
    except Exception:  # an external file may hold anything
        raise StorageError("recording contains no run that can be shown; save the run again.") from None
    return run


def _nothing_to_run() -> Source:
    raise ConfigError("this is a recording; press Play to start your own run.")
