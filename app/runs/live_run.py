"""One run as the page sees it: its session, and the view that all its viewers share.

A viewer's request drains and folds the events, under one lock, once for all viewers. A picture is encoded once.
"""

from __future__ import annotations

import hashlib
import logging
import math
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.content import messages
from app.run_state.batches import Batch, Batches
from app.run_state.frames import Frames
from app.run_state.lab_results import Results, counted_seeds, fold_results
from app.run_state.model import Condition, View, failed_arms, reset_view
from app.run_state.reducer import fold, last_on_map
from app.run_state.seed_curves import SeedCurves, numbers, ranges
from app.runs.plan import Plan
from app.support.event_log import log_name
from nayer.config import Config
from nayer.errors import ConfigError, NayerError
from nayer.events import DiversityMeasured, Event, RoundSynthesized, RunStarted, SecondOpinion, StudentKept
from nayer.exports.reproduce import known
from nayer.runs.session import ENDED, Session, StepKind
from nayer.types import Images

if TYPE_CHECKING:  # the core imports torch
    from nayer.distillation.redraw_preview import Redraws
    from nayer.runs.opinions import Examined, RealImage
    from nayer.runs.remote_rounds import Rounds

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")
ANSWER_SECONDS = 30.0  # how long a caller waits for a run to be between two events
NO_OWNER = ""  # no token has this hash: the run has no owner
NETWORKS = 6  # times its weights: gradients, two moments, and copies for the images that people try


def hashed(token: str) -> str:
    """The hash of a visitor's token. It is stored in places that other people can read."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class NoSuchArm(NayerError):
    """The run has no such arm."""


class Source(Protocol):
    """The work of a session, with one or several arms: a `nayer.runs.side_by_side.Lab`, which imports torch."""

    def events(self) -> Iterator[Event]:
        """The run's events, from its present state on."""

    def stop(self) -> None:
        """Ends the events after the step at hand. From any thread."""

    def change(self, arm: int, values: Mapping[str, object]) -> Config:
        """Goes on with `values` from the next round; returns its config. Raises ConfigError and EncoderError."""

    def redraws(self, arm: int, label: int, count: int) -> Redraws:
        """One label through `count` freshly drawn noisy layers. Raises ConfigError."""

    def examine(self, arm: int) -> Examined:
        """Copies of an arm's networks; from now on each round leaves new ones. Raises ConfigError."""

    def examined(self, arm: int) -> Examined | None:
        """The copies that the last round left; None before `examine`. From any thread, at any time."""

    def real_image(self, arm: int, label: int, pick: int) -> RealImage:
        """A test image of an arm. Raises ConfigError where there is none."""

    def answered_images(self, arm: int) -> Images:
        """The test images (n, c, h, w) of an arm in the order of its answers. Raises ConfigError if there are none."""

    def burst(self, rounds: Rounds) -> None:
        """Makes the next rounds with `rounds`. Raises ConfigError."""

    def checkpoint(self) -> bytes:
        """The checkpoint for continuing a run, as safetensors; empty before the first round ended."""

    def student(self, arm: int) -> bytes:
        """The weights of the student of an arm, as safetensors. Raises ConfigError for an arm that never began."""

    def kept_students(self) -> list[StudentKept]:
        """The first arm's students by round. From any thread, at any time."""


class LiveRun:
    """A session with an owner and a view of each of its arms. Only `refresh` and `refreshed` update the views."""

    def __init__(
        self,
        plan: Plan,
        owner: str,
        session: Session[Source],
        run_id: str = "",
        *,
        owner_hash: str | None = None,
        began: float | None = None,
        waiting: bool = True,
        begins_paused: bool = False,
        warning: Callable[[], str] = lambda: "",
    ) -> None:
        """`owner`: the token of the visitor who may command it. For a past run only its hash is known.

        `began`: seconds since 1970, for a past run; else it begins now.
        `waiting`: whether it first waits for a slot. `begins_paused`: whether it pauses before its first event.
        `warning`: one sentence that says why the run may be lost; empty if nothing threatens it.
        """
        self.id = run_id or secrets.token_urlsafe(12)
        self.owner = owner
        self.owner_hash = hashed(owner) if owner_hash is None else owner_hash
        self.plan = plan
        self.session = session
        self.views = [View() for _ in plan.arms]
        self.batches = [Batches() for _ in plan.arms]
        self.results: Results = {}
        self._curves = SeedCurves()
        self._counted: list[int] = []  # seeds that all arms have finished
        self._counted_at = [0 for _ in plan.arms]  # the `seq` of each view when their number changed last
        self._asked: dict[int, Config] = {}  # arm -> its config with the latest change, from its next round on
        self.waiting = waiting
        self.name = self.notes = ""  # what its owner calls it and says of it
        self.began = datetime.now(UTC).timestamp() if began is None else began  # seconds since 1970
        self.pace = 0.0  # s that it waits at each event
        self._begins_paused = begins_paused
        self._ahead: Callable[[], int] = lambda: 0
        self._wait: Callable[[], float | None] = lambda: None
        self._warning = warning
        self._inbox = session.subscribe()
        self._lock = threading.Lock()
        self._frames = [Frames() for _ in plan.arms]

    @property
    def config(self) -> Config:
        """The config of the first arm."""
        return self.plan.arms[0].config

    @property
    def state(self) -> str:
        """`queued` while it waits for a slot, then the state of the session."""
        return "queued" if self.waiting else self.session.state

    @property
    def ended(self) -> bool:
        """Whether it has ended, for any reason."""
        return not self.waiting and self.session.state in ENDED

    # --- slot and end ----------------------------------------------------------------------------------------------

    def enter_queue(
        self, *, ahead: Callable[[], int], wait: Callable[[], float | None], warning: Callable[[], str]
    ) -> None:
        """The run waits for a slot. `ahead`: the number of runs before it. `wait`: seconds, None if unknown."""
        self._ahead, self._wait, self._warning = ahead, wait, warning

    def ahead(self) -> int:
        """The number of runs before it in the queue."""
        return self._ahead()

    def begin(self) -> None:
        """The run has a slot: its session starts."""
        self.session.start(paused=self._begins_paused)
        self.waiting = False

    def end(self, reason: str = "") -> bool:
        """Stops the run. `reason` is one sentence for its viewers. Returns whether it was still waiting."""
        waited = self.waiting
        self.session.stop(reason)
        self.waiting = False
        return waited

    # --- commands of its owner -------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Pauses the run before its next event. Like the next three commands, it has no effect after the end."""
        self.session.pause()

    def resume(self) -> None:
        """Continues the run at its pace."""
        self.session.resume()

    def step(self, kind: StepKind) -> None:
        """Continues the run to the next event of that kind, and pauses it there."""
        self.session.step(kind)

    def set_pace(self, seconds: float) -> None:
        """Makes the run wait this many seconds at each event; 0 is full speed."""
        self.pace = seconds
        self.session.set_pace(seconds)

    def change(
        self, arm: int, values: Mapping[str, object], bears: Callable[[Sequence[Config]], None] = lambda configs: None
    ) -> None:
        """Continues the run with these settings. Raises ConfigError if they do not work, or if it has ended.

        `bears` gets the configs of all arms as they would be, and may refuse them. It is asked between two events, one
        change after the other, so it sees every change before this one.
        """
        self._check_goes_on()
        self.ask(lambda source: self._changed(source, arm, values, bears))

    def _changed(
        self, source: Source, arm: int, values: Mapping[str, object], bears: Callable[[Sequence[Config]], None]
    ) -> None:
        configs, arm = self.configs(), self._known(arm)
        configs[arm] = configs[arm].changed(values)
        bears(configs)
        self._asked[arm] = source.change(arm, values)

    def configs(self) -> list[Config]:
        """The config of each arm as its next round will have it, or as the arm will begin."""
        return [self._next_config(arm, view) for arm, view in enumerate(self.refreshed()[0])]

    def _next_config(self, arm: int, view: View) -> Config:
        if view.started is None:
            return self.plan.configs[arm]
        now, asked = known(view.started.config), self._asked.get(arm)
        return asked if asked is not None and asked.seed == now.seed else now  # the next seed has no changes

    def burst(self, rounds: Rounds) -> None:
        """Makes the next rounds with `rounds`, for example on another machine. Raises ConfigError if it has ended."""
        self._check_goes_on()
        self.ask(lambda source: source.burst(rounds))

    def _check_goes_on(self) -> None:
        if self.ended:
            raise ConfigError("this run has ended and cannot change; start a new one.")

    # --- the view ---------------------------------------------------------------------------------------------------

    def ask(self, call: Callable[[Source], Answer], seconds: float = 0.0) -> Answer:
        """The run's answer to `call` between two events. Raises the errors of `call`, and ConfigError on a timeout."""
        seconds = seconds or ANSWER_SECONDS
        try:
            return self.session.ask(call).result(seconds)
        except TookTooLong:
            raise ConfigError(f"this run did not answer within {seconds:.0f} s; try again in a moment.") from None

    def describe(self, name: str, notes: str) -> None:
        """Sets what its owner calls it and says of it."""
        self.name, self.notes = name, notes

    def restore_events(self, events: Iterable[Event], seen: Sequence[View] = ()) -> None:
        """Replaces all events that the page has seen with the events of an earlier process.

        `seen`: the views of the run before it continued, if there were any; their viewers get the new events.
        """
        with self._lock:
            self.views = [reset_view(view) for view in seen or self.views]
            self.results, self._curves, self._counted = {}, SeedCurves(), []
            self._take(list(events))

    def refresh(self, arm: int = 0) -> View:
        """The present view of an arm. Raises NoSuchArm if the arm does not exist."""
        return self.refreshed()[0][self._known(arm)]

    def refreshed(self) -> tuple[tuple[View, ...], Results]:
        """The present views of all arms, and their results so far."""
        with self._lock:
            # the state is read first: events that came before an end are folded with it or before it
            condition = Condition(self.state, error=self.session.error, pace=self.pace, kept=self._warning())
            if condition.state == "queued":
                condition = replace(condition, ahead=self.ahead(), wait=self._wait())
            if self._inbox.closed:  # there was no request for so long that the session closed the inbox
                self._inbox = self.session.subscribe()
                self.views = [reset_view(view) for view in self.views]
            self._take(self._inbox.drain())
            self.views = [fold(view, [condition]) for view in self.views]
            return tuple(self.views), self.results

    @property
    def many(self) -> bool:
        """Whether it is a lab: several arms, or one with several seeds."""
        return len(self.plan.arms) > 1 or len(self.plan.seeds) > 1

    @property
    def by(self) -> str:
        """What the x axis of its curves counts: work, or seconds where an arm has no limit of work."""
        return "work" if all(config.work for config in self.plan.configs) else "seconds"

    def curve(self, arm: int, since: int, until: int) -> list[list[float | None]]:
        """The rounds of an arm's present seed that ended after `since`, up to `until`, both the `seq` of its view.

        Each is: round, work, seconds, then MEASURES.
        """
        with self._lock:
            seed = self._curves.seed(arm)
            moments = [] if seed is None else self._curves.of(arm, seed)
            return [numbers(moment) for moment in moments if since < moment.seq <= until]

    def ranges(self, since: Sequence[int] | None = None) -> list[dict[str, list[list[float]]]] | None:
        """For each arm and measure the mean and range over the seeds that all arms have done, as points.

        None where there are none with several seeds, or where a reader with these `since` has them.
        """
        with self._lock:
            seen = since is not None and all(a >= b for a, b in zip(since, self._counted_at, strict=True))
            if seen or not self._counted or len(self.plan.seeds) < 2:
                return None
            return ranges(self._curves, len(self.plan.arms), self._counted, self.by)

    def every_curve(self) -> dict[tuple[int, int], list[list[float | None]]]:
        """Every arm and seed with its rounds, as `curve` has them."""
        with self._lock:
            return {
                (arm, seed): [numbers(moment) for moment in self._curves.of(arm, seed)]
                for seed in self.plan.every_seed
                for arm in range(len(self.plan.arms))
            }

    def frame(self, seq: int, arm: int = 0) -> bytes | None:
        """The JPEG strip with this number; None if it does not exist or is no longer kept."""
        with self._lock:
            return self._frames[arm].get(seq) if 0 <= arm < len(self._frames) else None

    def batch(self, round_: int, arm: int = 0) -> tuple[Batch, tuple[int | None, int | None]] | None:
        """The images of this round, or of the nearest round that is kept, with the kept rounds before and after it.

        None while there are none.
        """
        with self._lock:
            batches = self.batches[self._known(arm)]
            batch = batches.nearest(round_)
            return None if batch is None else (batch, batches.beside(batch.round))

    def batch_picture(self, number: int, arm: int = 0) -> bytes | None:
        """The JPEG of the batch with this number; None if it does not exist or is no longer kept."""
        with self._lock:
            return self.batches[self._known(arm)].picture(number)

    def held_bytes(self) -> int:
        """About the bytes of its networks and its images, which `release` frees."""
        views, _ = self.refreshed()
        started = [(view, view.started) for view in views if view.started is not None]
        return sum(
            4 * NETWORKS * sum(facts.parameters.values()) + math.prod(facts.image_shape) * (view.pool_size or 0)
            for view, facts in started
        )

    def release(self) -> None:
        """Frees, after the end of the run, the data for the images behind a point and for the reset strip."""
        self.session.release()
        self.plan = replace(self.plan, checkpoint=b"", uploaded=None)
        with self._lock:
            for batches in self.batches:
                batches.clear()

    def _known(self, arm: int) -> int:
        if not 0 <= arm < len(self.plan.arms):
            raise NoSuchArm(f"arm={arm} is not part of this run; use 0 to {len(self.plan.arms) - 1}.")
        return arm

    def _take(self, events: Sequence[Event]) -> None:
        before, on_map = list(self.views), last_on_map(events)  # a visitor who was away has many events
        for place, event in enumerate(events):
            with self._failures_noted(event.arm):
                self._fold(event.arm, event, place in on_map)
        for number, view in enumerate(before):
            with self._failures_noted(number):
                self._frames[number].take(self.views[number], view.seq)
        self.results = fold_results(self.results, events)
        counted = counted_seeds(self.results, len(self.views), failed_arms(self.views))
        if counted != self._counted:
            self._counted, self._counted_at = counted, [view.seq for view in self.views]

    @contextmanager
    def _failures_noted(self, arm: int) -> Iterator[None]:
        """A failed drawing is left out and reported once; the run continues."""
        try:
            yield
        except Exception:
            log.exception("run %s: something of arm %d cannot be drawn", log_name(self.id), arm)
            view = self.views[arm]
            if messages.NOT_DRAWN not in view.notes:
                self.views[arm] = replace(view, seq=view.seq + 1, notes=(*view.notes, messages.NOT_DRAWN))

    def _fold(self, arm: int, event: Event, mapped: bool) -> None:
        self.views[arm] = fold(self.views[arm], [event], mapped=mapped)
        self._curves.add(event, self.views[arm].seq)
        match event:
            case RunStarted():
                self.batches[arm].clear()
            case RoundSynthesized():
                self.batches[arm].add(event)
            case DiversityMeasured():
                self.batches[arm].measured(event)
            case SecondOpinion():
                self.batches[arm].named(event)
