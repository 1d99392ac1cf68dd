"""Recorded runs that can be played: the one that greets visitors, and runs that have ended."""

from __future__ import annotations

import json
from pathlib import Path

from app.fairness.fair_cache import FairCache
from app.middleware.client_address import address
from app.run_state.recorded_networks import recorded_networks
from app.run_state.replay import Replay
from app.runs.live_run import LiveRun
from app.runs.manager import RunManager
from app.runs.past_run import past_run
from app.runs.plan import Plan
from app.runs.recorder import STUDENTS
from app.runs.registry import NoSuchRun
from nayer.errors import ConfigError, StorageError
from nayer.events import Event, RunStarted, StudentKept
from nayer.exports import recording
from nayer.exports.reproduce import known

SHIPPED = "recording"  # the address of the one that greets
FOLDED = 8  # replays that are kept; the address that has the most loses one first


class Recordings:
    """For any thread. `greeting`: the file that plays on arrival, or None."""

    def __init__(self, registry: RunManager, greeting: Path | None = None) -> None:
        """StorageError where the greeting is no recording."""
        self._registry = registry
        # by run and state: an interrupted run may go on
        self._replays: FairCache[tuple[str, str], Replay] = FairCache(FOLDED)
        self._networks: FairCache[tuple[str, str], bytes] = FairCache(FOLDED)  # as JSON, at most 2.5 MB each
        self.greets = greeting is not None
        if greeting is not None:
            self._greeting = recording.load(greeting)
            registry.pin(_as_run(self._greeting, SHIPPED))

    def folded(self, run_id: str) -> Replay | None:
        """The replay if it is ready, else None; NoSuchRun for an unknown run. It takes a moment."""
        return self._replays.get((run_id, self._registry.state(run_id)))

    def of(self, run_id: str) -> Replay:
        """Raises NoSuchRun for an unknown run, ConfigError for an active one. It may take a second of a core."""
        key = run_id, self._registry.state(run_id)
        replay = self._replays.get(key)
        if replay is None:  # two that ask at once may both fold it, but nobody waits for another run
            replay = Replay(self.events(run_id))
            self._replays.put(key, replay, address())
        return replay

    def networks(self, run_id: str) -> bytes:
        """The networks of a recording as JSON; empty without students. It raises the same errors as `of`, and
        StorageError for students that cannot be used."""
        key = run_id, self._registry.state(run_id)
        kept = self._networks.get(key)
        if kept is not None:
            return kept
        networks = recorded_networks(self.events(run_id))
        content = b"" if networks is None else json.dumps(networks, allow_nan=False).encode()
        self._networks.put(key, content, address())
        return content

    def events(self, run_id: str) -> list[Event]:
        """The kept events of a run, thinned, then its students by round. It raises the same errors as `of`."""
        if run_id == SHIPPED and self.greets:
            return self._greeting
        run = self._registry.find(run_id)
        check_ended(run)
        store = self._registry.history.store
        kept = store.events(run_id) if store is not None else []
        tape = recording.RecordingBuilder()
        for event in kept or run.session.snapshot():
            tape.add(event)
        if not any(isinstance(event, RunStarted) for event in tape.events):
            raise NoSuchRun(
                f"run={run_id[:40]!r} ended before its first round, so nothing can be played; choose another run."
            )
        return [*tape.events, *self._students(run)]

    def _students(self, run: LiveRun) -> list[StudentKept]:
        """From the history, or from the run itself while it is in memory."""
        store = self._registry.history.store
        kept = store.file(run.id, STUDENTS) if store is not None else None
        if kept is not None:
            return recording.students(recording.read(kept[0], whole=False))
        return run.session.call_now(lambda source: source.kept_students()) or []


def check_ended(run: LiveRun) -> None:
    """Raises ConfigError for an active run."""
    if not run.ended:
        raise ConfigError("this run is still in progress; it can be played and saved after its end.")


def _as_run(events: list[Event], run_id: str) -> LiveRun:
    """The recording as a past run, so that it answers all requests that a past run answers."""
    started = next(event for event in events if isinstance(event, RunStarted))
    try:
        folded = [event for event in events if event.arm == 0 and not isinstance(event, StudentKept)]
        return past_run(Plan.alone(known(started.config)), folded, run_id)
    except Exception:  # an external file may hold anything
        raise StorageError("recording contains no run that can be shown; save the run again.") from None
