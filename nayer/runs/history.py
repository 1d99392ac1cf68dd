"""What someone who joins a run late must have: how it began, every measurement, the newest rounds and steps."""

from __future__ import annotations

from collections import defaultdict, deque

from nayer.events import (
    DiversityMeasured,
    Evaluated,
    Event,
    LayerRedrawn,
    Note,
    PolicyChanged,
    RoundSynthesised,
    RunFailed,
    RunFinished,
    RunStarted,
)

SHOWN = 12  # newest re-draws and batches of an arm, with their images
MEASURED = 600  # newest diversities of an arm: each has a few numbers a class


class History:
    """The events of a run, or of all arms of a lab, in the order they came."""

    def __init__(self) -> None:
        self.last: Event | None = None
        self._count = 0
        self._small: list[tuple[int, Event]] = []  # all of them: they carry a few numbers each
        self._shown: defaultdict[int, deque[tuple[int, Event]]] = defaultdict(lambda: deque(maxlen=SHOWN))
        self._measured: defaultdict[int, deque[tuple[int, Event]]] = defaultdict(lambda: deque(maxlen=MEASURED))
        self._newest: dict[tuple[int, type[Event]], tuple[int, Event]] = {}

    def add(self, event: Event) -> None:
        self.last = event
        entry = (self._count, event)
        self._count += 1
        if isinstance(event, (RunStarted, Note, PolicyChanged, Evaluated, RunFinished, RunFailed)):
            self._small.append(entry)
        elif isinstance(event, (RoundSynthesised, LayerRedrawn)):
            self._shown[event.arm].append(entry)
        elif isinstance(event, DiversityMeasured):
            self._measured[event.arm].append(entry)
        else:
            self._newest[event.arm, type(event)] = entry

    def events(self) -> list[Event]:
        kept = [*self._shown.values(), *self._measured.values()]
        entries = [*self._small, *(entry for entries in kept for entry in entries), *self._newest.values()]
        return [event for _, event in sorted(entries, key=lambda entry: entry[0])]
