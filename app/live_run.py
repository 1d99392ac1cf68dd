"""One run as the page sees it: its session, and the view that all its viewers share.

Events are drained and folded when somebody asks, under one lock, once for all; a picture is encoded once.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from app.batches import Batch, Batches
from app.pictures import Pixels, jpeg
from app.plans import Plan
from app.results import Results, fold_results
from app.view import Condition, View, anew, fold
from nayer.config import Config
from nayer.errors import NayerError
from nayer.events import DiversityMeasured, Event, RoundSynthesised, RunStarted
from nayer.session import ENDED, Session

if TYPE_CHECKING:  # the core brings torch with it
    from nayer.redraws import Redraws

_EASEL = 6  # strips of images being made that are kept, for viewers a little behind


class NoSuchArm(NayerError):
    """The run has no such arm."""


class Source(Protocol):
    """What a session runs, with one arm or several; a `nayer.lab.Lab`, which brings torch with it."""

    def events(self) -> Iterator[Event]: ...

    def change(self, arm: int, values: Mapping[str, object]) -> Config: ...

    def redraws(self, arm: int, label: int, count: int) -> Redraws: ...


class LiveRun:
    """A session with an owner and a view of each of its arms; `refresh` is the only way they move."""

    def __init__(self, plan: Plan, owner: str, session: Session[Source]) -> None:
        self.id = secrets.token_urlsafe(12)
        self.owner = owner
        self.plan = plan
        self.session = session
        self.views = [View() for _ in plan.arms]
        self.batches = [Batches() for _ in plan.arms]
        self.results: Results = {}
        self.ahead: Callable[[], int] = lambda: 0
        self.wait: Callable[[], float | None] = lambda: None
        self.waiting = True
        self.begins_paused = False
        self.pace = 0.0
        self._inbox = session.subscribe()
        self._lock = threading.Lock()
        self._frames: OrderedDict[tuple[int, int], bytes] = OrderedDict()  # arm, seq

    @property
    def config(self) -> Config:
        """The first arm's."""
        return self.plan.arms[0].config

    @property
    def state(self) -> str:
        """`queued` while it waits for a place, then the session's own."""
        return "queued" if self.waiting else self.session.state

    @property
    def ended(self) -> bool:
        return not self.waiting and self.session.state in ENDED

    def refresh(self, arm: int = 0) -> View:
        """What there is to see of an arm now. NoSuchArm for one that is not there."""
        return self.refreshed()[0][self._known(arm)]

    def refreshed(self) -> tuple[tuple[View, ...], Results]:
        """What there is to see of all arms now, and what came of them so far."""
        with self._lock:
            # the state is read first: events that came before an end are folded with it or before it
            condition = Condition(self.state, error=self.session.error, pace=self.pace)
            if condition.state == "queued":
                condition = replace(condition, ahead=self.ahead(), wait=self.wait())
            before = list(self.views)
            if self._inbox.closed:  # nobody asked for so long that the session gave up on us
                self._inbox = self.session.subscribe()
                self.views = [anew(view) for view in self.views]
            events = self._inbox.drain()
            for number, view in enumerate(self.views):
                mine = [event for event in events if event.arm == number]
                self.views[number] = fold(view, [*mine, condition])
                self._keep(number, mine)
                self._encode(number, before[number])
            self.results = fold_results(self.results, events)
            return tuple(self.views), self.results

    def frame(self, seq: int, arm: int = 0) -> bytes | None:
        """The JPEG strip of that number, None when it is unknown or gone."""
        with self._lock:
            return self._frames.get((arm, seq))

    def batch(self, round_: int, arm: int = 0) -> tuple[Batch, tuple[int | None, int | None]] | None:
        """The images made in that round, or in the nearest one that is kept, and the kept rounds beside it.

        None while there are none.
        """
        with self._lock:
            batches = self.batches[self._known(arm)]
            batch = batches.nearest(round_)
            return None if batch is None else (batch, batches.beside(batch.round))

    def batch_picture(self, number: int, arm: int = 0) -> bytes | None:
        """The JPEG of the batch of that number, None when it is unknown or gone."""
        with self._lock:
            return self.batches[self._known(arm)].picture(number)

    def release(self) -> None:
        """Lets go of what only the images behind a point and the reset strip need, once the run has ended."""
        self.session.release()
        with self._lock:
            for batches in self.batches:
                batches.clear()

    def _known(self, arm: int) -> int:
        if not 0 <= arm < len(self.plan.arms):
            raise NoSuchArm(f"arm={arm} is not part of this run; use 0 to {len(self.plan.arms) - 1}.")
        return arm

    def _keep(self, arm: int, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case RunStarted():
                    self.batches[arm].clear()
                case RoundSynthesised():
                    self.batches[arm].add(event)
                case DiversityMeasured():
                    self.batches[arm].measured(event)

    def _encode(self, arm: int, before: View) -> None:
        """Encode the pictures that the view gained; the newest ones stay."""
        view = self.views[arm]
        pictures: list[tuple[int, Pixels]] = [(row.seq, row.images) for row in view.rows if row.seq > before.seq]
        if view.making is not None and view.making.seq > before.seq:
            pictures.append((view.making.seq, view.making.images))
        for seq, images in pictures:
            self._frames[arm, seq] = jpeg(images)
        kept = {row.seq for row in view.rows}
        for seq in [seq for of, seq in self._frames if of == arm and seq not in kept][:-_EASEL]:
            del self._frames[arm, seq]
