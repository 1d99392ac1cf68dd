"""One run as the page sees it: its session, and the view that all its viewers share.

Events are drained and folded when somebody asks, under one lock, once for all; a picture is encoded once.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from app.pictures import Pixels, jpeg
from app.view import Condition, View, anew, fold
from nayer.config import Config
from nayer.events import Event
from nayer.session import ENDED, Session

if TYPE_CHECKING:  # the core brings torch with it
    from nayer.redraws import Redraws

_EASEL = 6  # strips of images being made that are kept, for viewers a little behind


class Source(Protocol):
    """What a session runs, with one arm or several; a `nayer.lab.Lab`, which brings torch with it."""

    def events(self) -> Iterator[Event]: ...

    def change(self, arm: int, values: Mapping[str, object]) -> Config: ...

    def redraws(self, arm: int, label: int, count: int) -> Redraws: ...


class LiveRun:
    """A session with an owner; `refresh` is the only way its view moves."""

    def __init__(self, config: Config, owner: str, session: Session[Source]) -> None:
        self.id = secrets.token_urlsafe(12)
        self.owner = owner
        self.config = config
        self.session = session
        self.view = View()
        self.ahead: Callable[[], int] = lambda: 0
        self.waiting = True
        self.pace = 0.0
        self._inbox = session.subscribe()
        self._lock = threading.Lock()
        self._frames: OrderedDict[int, bytes] = OrderedDict()

    @property
    def state(self) -> str:
        """`queued` while it waits for a place, then the session's own."""
        return "queued" if self.waiting else self.session.state

    @property
    def ended(self) -> bool:
        return not self.waiting and self.session.state in ENDED

    def refresh(self) -> View:
        """What there is to see now."""
        with self._lock:
            # the state is read first: events that came before an end are folded with it or before it
            condition = Condition(self.state, self.ahead() if self.waiting else 0, self.session.error, self.pace)
            before = self.view
            if self._inbox.closed:  # nobody asked for so long that the session gave up on us
                self._inbox = self.session.subscribe()
                self.view = anew(self.view)
            self.view = fold(self.view, [*self._inbox.drain(), condition])
            self._encode(before)
            return self.view

    def frame(self, seq: int) -> bytes | None:
        """The JPEG strip of that number, None when it is unknown or gone."""
        with self._lock:
            return self._frames.get(seq)

    def _encode(self, before: View) -> None:
        """Encode the pictures that the view gained; the newest ones stay."""
        pictures: list[tuple[int, Pixels]] = [(row.seq, row.images) for row in self.view.rows if row.seq > before.seq]
        if self.view.making is not None and self.view.making.seq > before.seq:
            pictures.append((self.view.making.seq, self.view.making.images))
        for seq, images in pictures:
            self._frames[seq] = jpeg(images)
        kept = {row.seq for row in self.view.rows}
        for seq in [seq for seq in self._frames if seq not in kept][:-_EASEL]:
            del self._frames[seq]
