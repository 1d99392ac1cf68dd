"""A recorded run as the page plays it: the updates of a live run, each with its second, and the pictures."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any

from app.run_state.model import CURVES, Condition, View
from app.run_state.reducer import fold
from app.run_state.serializer import payload, preview_facts
from app.support.images import Pixels, checked_pixels, jpeg
from nayer.errors import StorageError
from nayer.events import Event, StudentKept

log = logging.getLogger(__name__)
_SAID_BY_THE_PLAYER = ("seq", "state")
_ALWAYS_NEW = (
    *("run", *CURVES),
    *("redraws", "changes", "rows", "making"),
)


class Replay:
    """It is folded once, with the fold and the payload of live runs. Any number of viewers can read it."""

    def __init__(self, events: Iterable[Event]) -> None:
        """StorageError where the events cannot be those of a run."""
        self._pictures: dict[int, Pixels] = {}
        self._latest = (0, 0)  # frame and count of the latest preview
        try:
            moments = list(self._moments(_of_the_run(events)))
            duration = moments[-1][0] if moments else 0.0
            timeline = {"duration": duration, "moments": moments}
            self.timeline = json.dumps(timeline, ensure_ascii=False, allow_nan=False).encode()
        except Exception:  # an external file may hold anything
            log.info("a recording cannot be folded", exc_info=True)
            raise StorageError("recording contains no run that can be shown; save the run again.") from None

    @property
    def frames(self) -> list[int]:
        """The numbers of its JPEG strips."""
        return list(self._pictures)

    def frame(self, seq: int) -> bytes | None:
        """The JPEG strip of that number, None for an unknown one."""
        images = self._pictures.get(seq)
        return None if images is None else jpeg(images)

    def _moments(self, events: list[Event]) -> Iterable[tuple[float, dict[str, Any]]]:
        view = fold(View(), [Condition("running")])
        before: dict[str, Any] = {}
        clock = 0.0
        for event in events:
            seen, view = view.seq, fold(view, [event])
            news = payload(view, seen)
            if news is None:
                continue
            self._keep(view, seen, news)
            clock = max(clock, event.seconds)
            standing = {name: value for name, value in news.items() if name not in _ALWAYS_NEW}
            same = {name for name, value in standing.items() if name in before and before[name] == value}
            before = standing
            changed = {name: news[name] for name in news if name not in same and name not in _SAID_BY_THE_PLAYER}
            if news["anew"]:
                changed["anew"] = True
            yield round(clock, 2), changed

    def _keep(self, view: View, seen: int, news: dict[str, Any]) -> None:
        for row in view.rows:
            if row.seq > seen:
                self._pictures[row.seq] = checked_pixels(row.images)
        making = view.making
        if making is None:
            return
        if len(making.images):
            self._pictures[making.seq] = checked_pixels(making.images)
            self._latest = making.seq, len(making.images)
        elif self._latest[0]:  # only some steps keep their images: the latest images stay visible
            frame, count = self._latest
            news["making"] = preview_facts(making) | {"frame": frame, "count": count}


def _of_the_run(events: Iterable[Event]) -> list[Event]:
    """The events that the run itself sent; its students by round are no news."""
    return [event for event in events if event.arm == 0 and not isinstance(event, StudentKept)]
