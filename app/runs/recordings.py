"""Recorded runs that can be played: the one that greets visitors, and runs that have ended."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from app.run_state.replay import Replay
from app.runs.live_run import LiveRun, Source
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
    """For any thread. `greeting`: the file that plays on arrival, None for none."""

    def __init__(self, registry: RunManager, greeting: Path | None = None) -> None:
        """StorageError where the greeting is no recording."""
        self._registry = registry
        self._lock = threading.Lock()
        self._replays: OrderedDict[str, Replay] = OrderedDict()
        self.greets = greeting is not None
        if greeting is not None:
            self._greeting = recording.load(greeting)
            registry.pin(_as_run(self._greeting, SHIPPED))

    def of(self, run_id: str) -> Replay:
        """NoSuchRun for an unknown run, ConfigError for one that still goes on."""
        with self._lock:
            if run_id not in self._replays:
                self._replays[run_id] = Replay(self.events(run_id))
                while len(self._replays) > FOLDED:
                    self._replays.popitem(last=False)
            self._replays.move_to_end(run_id)
            return self._replays[run_id]

    def events(self, run_id: str) -> list[Event]:
        """What is kept of a run's events, thinned; raises as `of` does."""
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
            raise NoSuchRun(f"run={run_id[:40]!r} ended before its first round; there is nothing to play back.")
        return tape.events


def check_ended(run: LiveRun) -> None:
    """ConfigError for a run that still goes on."""
    if not run.ended:
        raise ConfigError("run goes on; it can be played back and saved once it has ended.")


def _as_run(events: list[Event], run_id: str) -> LiveRun:
    """A run of the past, so that all that can be asked of one can be asked of a recording."""
    started = next(event for event in events if isinstance(event, RunStarted))
    try:
        config = known(started.config)
        session: Session[Source] = Session(_nothing_to_run)
        run = LiveRun(Plan.alone(config), "", session, run_id)
        run.owner_hash = ""  # nobody's
        run.recall(event for event in events if event.arm == 0)
        session.recall(events, "finished")
    except Exception:  # a file from elsewhere may hold anything
        raise StorageError("recording holds no run that can be shown; save the run once more.") from None
    run.waiting = False
    return run


def _nothing_to_run() -> Source:
    raise ConfigError("this is a recording; press Play for a run of your own.")
