"""A queue that is fair by lane: the first item of each lane comes before the second of any lane.

Start-time fair queueing with equal costs (Goyal, Vin and Cheng, 1996): the nth entry of a lane belongs to the nth turn
after the one that is being served, and turns are served in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

from nayer.errors import NayerError

T = TypeVar("T")


class QueueFull(NayerError):
    """The queue has no room."""


@dataclass
class _Lane(Generic[T]):
    turn: int  # turn of the first entry; the next entries have the following turns
    entries: deque[tuple[int, T]] = field(default_factory=deque)  # arrival, item


class FairQueue(Generic[T]):
    """Not safe for threads by itself. `limit` entries may wait, `each` of them in one lane; None stands for half."""

    def __init__(self, limit: int, each: int | None = None) -> None:
        self.limit = limit
        self.each = max(1, limit // 2) if each is None else each
        self._arrivals = count()
        self._turn = 0  # the present turn
        self._lanes: dict[str, _Lane[T]] = {}

    def __len__(self) -> int:
        return sum(len(lane.entries) for lane in self._lanes.values())

    def __contains__(self, item: object) -> bool:
        return any(item is entry for lane in self._lanes.values() for _, entry in lane.entries)

    def has_room(self, name: str) -> bool:
        """Whether one more can wait in the lane `name`."""
        try:
            self.check(name)
        except QueueFull:
            return False
        return True

    def check(self, name: str) -> None:
        """QueueFull where there is no room for one more in the lane `name`."""
        lane = self._lanes.get(name)
        if len(self) >= self.limit:
            raise QueueFull(f"The queue is full (waiting runs: {len(self)}); try again in a few minutes.")
        if lane is not None and len(lane.entries) >= self.each:
            raise QueueFull(
                f"The queue takes no more runs of your address (waiting: {len(lane.entries)}); try again later."
            )

    def heavier(self, name: str) -> str:
        """The lane that has the most in a full queue, if it has more than one more than `name`; otherwise empty."""
        if len(self) < self.limit:
            return ""
        most = max(self._lanes, key=lambda other: len(self._lanes[other].entries))
        mine = len(self._lanes[name].entries) if name in self._lanes else 0
        return most if len(self._lanes[most].entries) > mine + 1 else ""

    def make_room(self, name: str) -> T | None:
        """Removes and returns the last item of the lane that is `heavier`; None where there is no such lane.

        So a few lanes cannot keep all others out.
        """
        most = self.heavier(name)
        return self._lanes[most].entries.pop()[1] if most else None

    def add(self, item: T, name: str) -> None:
        """Adds `item` to the lane `name`. Raises QueueFull and changes nothing when there is no room."""
        self.check(name)
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane(self._turn)
        lane.turn = lane.turn if lane.entries else max(lane.turn, self._turn)
        lane.entries.append((next(self._arrivals), item))

    def remove(self, item: T) -> bool:
        """Whether it was waiting. Those behind it in its lane move up a turn."""
        for lane in self._lanes.values():
            for entry in lane.entries:
                if entry[1] is item:
                    lane.entries.remove(entry)
                    return True
        return False

    def pop(self, busy: Collection[str] = ()) -> T:
        """The next item, without the lanes that are `busy`. IndexError when there is none."""
        first = next((entry for entry in self._in_order() if entry[2] not in busy), None)
        if first is None:
            raise IndexError("nobody waits whose turn it could be")
        turn, _, name, item = first
        self._turn = max(self._turn, turn)  # a lane that was busy is served late
        lane = self._lanes[name]
        lane.entries.popleft()
        lane.turn += 1
        for name in [name for name, lane in self._lanes.items() if not lane.entries and lane.turn <= self._turn]:
            del self._lanes[name]  # the lane is empty: a new one starts with the present turn
        return item

    def order(self) -> list[T]:
        """All waiting items, in the order of their turns if no other item arrives."""
        return [item for _, _, _, item in self._in_order()]

    def clear(self) -> None:
        """Removes all items."""
        self._lanes.clear()

    def _in_order(self) -> list[tuple[int, int, str, T]]:
        entries = [
            (lane.turn + behind, arrival, name, item)
            for name, lane in self._lanes.items()
            for behind, (arrival, item) in enumerate(lane.entries)
        ]
        return sorted(entries, key=lambda entry: entry[:2])
