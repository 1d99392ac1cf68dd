"""Records runs, shows runs of the past, and continues interrupted ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from app.content import messages
from app.runs.live_run import LiveRun, Source, hashed
from app.runs.past_run import past_run
from app.runs.plan import Plan
from app.runs.recorder import CHECKPOINT_SECONDS, TEACHER, Recorder
from app.storage.run_store import Store, Stored
from nayer.errors import ConfigError, StorageError
from nayer.events import Evaluated, Event, Note, RunFailed, RunFinished
from nayer.teachers.upload import PREFIX, UploadedTeacher


@dataclass
class ContinuedRun:
    """What an interrupted run needs to continue: its checkpoint and round, its earlier events, and a new recorder."""

    plan: Plan
    round: int
    events: list[Event]
    recorder: Recorder

    def source(self, opener: Callable[[Plan], Source]) -> Source:
        """Opens the source once. Then it drops the large checkpoint and an uploaded teacher."""
        plan, self.plan = self.plan, replace(self.plan, checkpoint=b"", uploaded=None)
        return cast(Source, Resumed(opener(plan), self.round))  # mypy knows no method that `__getattr__` gives


class RunHistory:
    """The runs on disk: a store, or a sentence that says why there is none. Any thread may use it."""

    def __init__(
        self, store: Store | None = None, without: str = "", *, checkpoint_seconds: float = CHECKPOINT_SECONDS
    ) -> None:
        self.store = store
        self._without = without
        self._every = checkpoint_seconds
        self._recorders: dict[str, Recorder] = {}  # of the runs that have not ended
        self._lock = threading.Lock()
        if store is not None:
            store.writer.on_gap = self._record_all_again

    @property
    def sentence(self) -> str:
        """The page's sentence about storage; empty while all is well."""
        return self.store.sentence if self.store else self._without

    @property
    def fails(self) -> bool:
        """Whether the server should keep runs and cannot keep a part of them."""
        return bool(self.store.trouble) if self.store else self._without not in ("", messages.KEPT_OFF)

    def begin(self, run_id: str, owner_hash: str, plan: Plan, address: str = "") -> Recorder | None:
        """The recorder of a new run of a visitor at `address`; `flush` waits until the run is in the history."""
        if self.store is None:
            return None
        recorder = Recorder(
            self.store,
            run_id,
            owner_hash,
            plan.to_json(),
            address=address,
            uploaded=plan.uploaded,
            checkpoint_seconds=self._every,
        )
        recorder.begin()
        self._add_recorder(run_id, recorder)
        return recorder

    def flush(self) -> None:
        """Waits until all queued writes are on the disk."""
        if self.store is not None:
            self.store.flush()

    def size(self) -> tuple[int, float, float]:
        """(runs in the history, their megabytes, the megabytes there may be)."""
        return (*self.store.size(), self.store.quota) if self.store else (0, 0.0, 0.0)

    def knows(self, token: str) -> bool:
        """Whether the owner of that token started a run that is kept."""
        return self.store is not None and bool(self.store.mine(hashed(token), 1))

    def mine(self, token: str, limit: int) -> list[Stored]:
        """The newest kept runs of the owner of that token, newest first."""
        return self.store.mine(hashed(token), limit) if self.store is not None else []

    def state(self, run_id: str) -> str | None:
        """The state of a kept run, as `past` has it; None for one that is not kept."""
        found = self.store.find(run_id) if self.store is not None else None
        return None if found is None else found.end

    def last_evaluation(self, run_id: str) -> Evaluated | None:
        """The newest evaluation of the first arm of a kept run."""
        found = self.store.last(run_id, ("Evaluated", "EvaluatedAtStart")) if self.store is not None else None
        return found if isinstance(found, Evaluated) else None

    def describe(self, run_id: str, name: str, notes: str) -> None:
        """Keeps a run's name and notes."""
        if self.store is not None:
            self.store.describe(run_id, name, notes)

    def past(self, run_id: str) -> LiveRun | None:
        """A run of an earlier process, or an old run of this one, in its last state; None if it is not kept."""
        found = self.store.find(run_id) if self.store else None
        plan = Plan.stored(found.plan) if found else None
        if self.store is None or found is None or plan is None:
            return None
        events = self.store.events(run_id)
        if found.end == "interrupted":  # the server ended, not the run
            events = [event for event in events if not isinstance(event, RunFinished) or event.reason != "stopped"]
        run = past_run(
            plan,
            events,
            run_id,
            owner_hash=found.owner,
            began=found.began,
            state=found.end,
            error=found.error,
            warning=lambda: self.sentence,
        )
        run.describe(found.name, found.notes)
        return run

    def continued(self, run: LiveRun) -> ContinuedRun:
        """The data that an interrupted run needs to continue.

        Raises ConfigError for a run that was not interrupted, StorageError where its checkpoint is damaged.
        """
        if self.store is None or run.state != "interrupted":
            raise ConfigError(f"run={run.id[:40]!r} was not interrupted, so it cannot continue; start a new run.")
        content, round_ = self.store.file(run.id, "checkpoint") or (b"", 0)
        uploaded = self.uploaded(run)
        before = [
            event
            for event in self.store.events(run.id)
            if event.round < round_ and not isinstance(event, (RunFinished, RunFailed))
        ]
        recorder = Recorder(
            self.store,
            run.id,
            run.owner_hash,
            run.plan.to_json(),
            uploaded=uploaded,
            before=before,
            seq=self.store.next_seq(run.id),
            checkpoint_seconds=self._every,
        )
        self.store.resume(run.id, round_)
        self._add_recorder(run.id, recorder)
        plan = replace(run.plan, checkpoint=content, uploaded=uploaded)
        return ContinuedRun(plan, round_, before, recorder)

    def uploaded(self, run: LiveRun) -> UploadedTeacher | None:
        """The teacher that the run's visitor uploaded, or None. Raises StorageError if it is lost."""
        teacher, _ = (self.store.file(run.id, TEACHER) if self.store else None) or (b"", 0)
        if teacher:
            return UploadedTeacher.unpacked(teacher)
        if any(config.teacher.startswith(PREFIX) for config in run.plan.configs):
            raise StorageError(
                "the uploaded teacher of this run is no longer kept; upload it again and start a new run."
            )
        return None

    def forget(self, run_id: str) -> None:
        """Removes a run that the full queue refused, or that its owner deletes."""
        self._remove_recorder(run_id)
        if self.store is not None:
            self.store.remove(run_id)

    def end_unstarted(self, run_id: str) -> None:
        """Records a run that was stopped while it waited."""
        self._remove_recorder(run_id)
        if self.store is not None:
            self.store.end(run_id, "stopped")

    def close(self) -> None:
        """Writes what is left and closes the store."""
        if self.store is not None:
            self.store.close()

    def _add_recorder(self, run_id: str, recorder: Recorder) -> None:
        with self._lock:
            self._recorders = {name: one for name, one in self._recorders.items() if not one.stopped}
            self._recorders[run_id] = recorder

    def _remove_recorder(self, run_id: str) -> None:
        with self._lock:
            recorder = self._recorders.pop(run_id, None)
        if recorder is not None:
            recorder.stop()

    def _record_all_again(self) -> None:
        """Records the active runs again, because the store is new or has lost writes."""
        with self._lock:
            recorders = list(self._recorders.values())
        for recorder in recorders:
            recorder.record_again()


class Resumed:
    """A source that marks its first event, the start, as a continued run. All else is the source's own."""

    def __init__(self, source: Source, round_: int) -> None:
        self._source = source
        self._round = round_

    def events(self) -> Iterator[Event]:
        """The source's events; a note after the first one says at which round the run continues."""
        sentence = messages.RESUMED.format(round=self._round) if self._round else messages.RESUMED_FROM_THE_START
        for number, event in enumerate(self._source.events()):
            if number or not self._round:
                yield event
            if not number:
                yield Note(round=event.round, seconds=event.seconds, arm=event.arm, message=sentence)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)
