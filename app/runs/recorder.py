"""Records a run in the history: the numbers of every round, one image per class, and a checkpoint from time to time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from app.runs.live_run import Source
from app.storage.run_store import Store
from app.support.event_log import log_name
from nayer.errors import NayerError
from nayer.events import (
    Event,
    GeneratorStep,
    RoundFinished,
    RunFailed,
    RunFinished,
    RunStarted,
    StudentStep,
)
from nayer.exports.recording import thinned, written
from nayer.runs.broadcast import History
from nayer.teachers.upload import UploadedTeacher

log = logging.getLogger(__name__)
CHECKPOINT_SECONDS = 10.0  # between two checkpoints. A crash loses at most this; a smaller number writes more often.
TEACHER = "teacher"  # the file kind of an uploaded teacher
STUDENTS = "students"  # the file kind of the first arm's students by round
EVERY_ROUND, EVERY_TENTH = 1000, 10_000  # up to these rounds all are kept, or every tenth; then every hundredth
_COMMIT_AT = (RunStarted, RoundFinished, RunFinished, RunFailed)


class Recorder:
    """Gets the events of one run in the run's thread and queues one write a round. Its errors never end the run."""

    def __init__(
        self,
        store: Store,
        run: str,
        owner: str,
        plan: str,
        *,
        address: str = "",
        uploaded: UploadedTeacher | None = None,
        before: Sequence[Event] = (),
        seq: int = 0,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`owner`: the hash of a token. `plan`: JSON. `address`: the visitor's. `uploaded`: an uploaded teacher.
        `before`: the earlier events of a continued run, and `seq` the number of its next event."""
        self._store: Store | None = store
        self._run = run
        self._owner = owner
        self._plan = plan
        self._address = address
        self._uploaded = uploaded
        self._seq = seq
        self._every = checkpoint_seconds
        self._clock = clock
        self._saved = clock()
        self._lock = threading.Lock()  # protects the events: the writer's thread may write them again
        self._history = History()
        for event in before:
            self._history.add(event)
        self._waiting: list[Event] = []
        self._arms: set[int] = set()
        self._source: Source | None = None

    def begin(self) -> None:
        """Puts the run into the history before it starts."""
        if self._store is not None:
            self._store.begin(self._run, self._owner, self._plan, self._address)
            if self._uploaded is not None:
                self._store.keep(self._run, TEACHER, self._uploaded.packed(), 0)

    def record_again(self) -> None:
        """Queues all data of the run that is in memory, for a store that lost it. The checkpoint follows with the
        next round. Any thread may call it."""
        try:
            with self._lock:
                if self._store is None:
                    return
                self.begin()
                events = [thinned(event) for event in self._history.events() if _kept(event)]
                self._store.replace_events(self._run, events)
                self._seq, self._waiting = len(events), []
                self._saved = float("-inf")
        except Exception:
            log.exception("history: run %s is recorded no further", log_name(self._run))
            self.stop()

    def stop(self) -> None:
        """Ends the recording of the run."""
        with self._lock:
            self._store, self._uploaded, self._history = None, None, History()

    @property
    def stopped(self) -> bool:
        """Whether nothing more of the run is recorded."""
        return self._store is None

    def set_source(self, source: Source) -> Source:
        """Stores and returns the source, from which the recorder gets checkpoints and students."""
        self._source = source
        return source

    def on_event(self, event: Event) -> None:
        """Records an event. During this call the run is between two events."""
        try:
            with self._lock:
                if self.stopped:
                    return
                self._history.add(event)
                self._remember(event)
                if isinstance(event, _COMMIT_AT):
                    self._write()
            if isinstance(event, RoundFinished) and self._clock() - self._saved >= self._every:
                self._save(event.round + 1)
        except Exception:  # a gap in the history is better than the end of the run
            log.exception("history: run %s is recorded no further", log_name(self._run))
            self.stop()

    def on_end(self, state: str, error: str) -> None:
        """Records the end of the run, and its students in their present state."""
        source, self._source = self._source, None
        store = self._store
        if store is None:
            return
        try:
            with self._lock:
                self._write()
            self.stop()
            store.end(self._run, state, error)
            if state != "interrupted":  # the run needs it no longer, and it belongs to the visitor
                store.drop(self._run, TEACHER)
            for arm in sorted(self._arms):
                if source is not None:
                    store.keep(self._run, f"student-{arm}", source.student(arm), 0)
            if source is not None and (students := source.kept_students()):
                store.keep(self._run, STUDENTS, written(students), 0)
        except NayerError:
            return  # an arm that never started has no student
        except Exception:
            log.exception("history: the end of run %s is not recorded", log_name(self._run))

    def _remember(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._arms.add(event.arm)
        if not _kept(event):
            return
        last = self._waiting[-1] if self._waiting else None
        if isinstance(event, (GeneratorStep, StudentStep)) and type(last) is type(event) and last.arm == event.arm:
            self._waiting.pop()  # only the last step of a phase stays
        self._waiting.append(thinned(event))

    def _write(self) -> None:
        if self._waiting and self._store is not None:
            self._store.add(self._run, self._seq, self._waiting)
            self._seq += len(self._waiting)
            self._waiting = []

    def _save(self, round_: int) -> None:
        content = self._source.checkpoint() if self._source is not None else b""
        if content and self._store is not None:
            self._store.keep(self._run, "checkpoint", content, round_)
        self._saved = self._clock()


def _kept(event: Event) -> bool:
    if event.round < EVERY_ROUND or isinstance(event, (RunStarted, RunFinished, RunFailed)):
        return True
    return event.round % (10 if event.round < EVERY_TENTH else 100) == 0
