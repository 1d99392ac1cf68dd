"""Teachers that visitors bring: checked in memory before any training, one a visitor, gone when nobody uses them."""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.content import messages
from app.middleware.client_address import address
from app.run_state.teacher_cards import shown
from app.runs.limits import check_teacher
from nayer.common.hub import on_this_machine
from nayer.config import Config
from nayer.embeddings.label_table import at_hand
from nayer.errors import ConfigError
from nayer.networks.cards import TeacherCard
from nayer.teachers.upload import PREFIX, UploadedTeacher

KEPT_SECONDS = 1800.0  # after its visitor has last used it
MEGABYTES = 256  # of all that are here, those in runs among them
EACH_MEGABYTES = 128  # of those of one address
_OURS = 2  # references to what no run holds on to: its entry's, and the one that is counted with
EACH = 40  # teachers of one address: a class brings one each


def _on_a_shared_page(card: TeacherCard) -> None:
    check_teacher(card, local=False)


@dataclass
class _Entry:
    brought: UploadedTeacher
    card: TeacherCard
    lane: str  # the address it came from
    used: float


class Uploads:
    """What is brought under a visitor's token is nobody else's. For any thread; nothing is ever written to a disk."""

    def __init__(
        self,
        *,
        megabytes: int = MEGABYTES,
        each_megabytes: int = EACH_MEGABYTES,
        each: int = EACH,
        clock: Callable[[], float] = time.monotonic,
        bears: Callable[[TeacherCard], None] = _on_a_shared_page,
    ) -> None:
        """`megabytes` in all, and of each address `each_megabytes` and `each` teachers.

        `bears`: raises ConfigError for a teacher whose smallest run is too large for this page.
        """
        self._bytes = megabytes << 20
        self._each_bytes = each_megabytes << 20
        self._each = each
        self._clock = clock
        self._bears = bears
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # by token, the longest unused first
        # All that are in memory and the addresses they came from, for runs hold on to theirs.
        self._alive: weakref.WeakKeyDictionary[UploadedTeacher, str] = weakref.WeakKeyDictionary()

    def bring(self, token: str, brought: UploadedTeacher) -> dict[str, Any]:
        """Takes it for this visitor, in place of what they brought before; the answer is for the page.

        Raises NayerError, in one sentence, for whatever would keep a run from starting.
        """
        from nayer.teachers.upload_loading import opened, remarks  # with torch, which the page does not wait for

        card, lane = brought.card(), address()
        self._bears(card)
        said = remarks(*opened(brought))
        with self._lock:
            self._entries.pop(token, None)
            self._make_room(brought.size, lane)
            self._alive[brought] = lane
            self._entries[token] = _Entry(brought, card, lane, self._clock())
        table, sentence = _table(card)
        return {"card": shown(card), "said": [*said, sentence], "table": table}

    def of(self, token: str, name: str) -> UploadedTeacher | None:
        """What this visitor brought under that name; None for a teacher that is none of these.

        Raises ConfigError where it is somebody else's or no longer here.
        """
        if not name.startswith(PREFIX):
            return None
        with self._lock:
            entry = self._entries.get(token)
            if entry is None or entry.brought.name != name:
                raise ConfigError(f"teacher={name[:60]!r} is not here, or not yours; bring its files again.")
            entry.used = self._clock()
            self._entries.move_to_end(token)
            return entry.brought

    def cards(self, token: str) -> list[TeacherCard]:
        """Of what this visitor brought."""
        with self._lock:
            entry = self._entries.get(token)
            return [entry.card] if entry else []

    def tidy(self) -> None:
        """Lets go of what its visitor has not used for long; a run that goes on has it still."""
        with self._lock:
            late = self._clock() - KEPT_SECONDS
            for token in [token for token, entry in self._entries.items() if entry.used < late]:
                del self._entries[token]

    def _make_room(self, size: int, lane: str) -> None:
        """For one more of that size from that address: first among its own, then where more than a fair share is held.

        Raises ConfigError where that is not enough.
        """
        while self._count(lane) >= self._each or self._held()[lane] + size > self._each_bytes:
            if not self._give_up(lane):
                raise ConfigError(
                    f"teachers={self._count(lane)} that your address brought, in runs that go on, are all it may have;"
                    " try again in some minutes."
                )
        while (held := self._held() + Counter({lane: size})).total() > self._bytes:
            fair = self._bytes / len(held)
            heavy = [other for other in held if other == lane or held[other] > fair]
            if not any(self._give_up(other) for other in sorted(heavy, key=lambda other: -held[other])):
                raise ConfigError(
                    "teachers that others brought fill the memory set aside for them; try again in some minutes."
                )

    def _count(self, lane: str) -> int:
        return sum(entry.lane == lane for entry in self._entries.values())

    def _held(self) -> Counter[str]:
        """Bytes by address."""
        held = Counter[str]()
        for brought, lane in self._alive.items():
            held[lane] += brought.size
        return held

    def _give_up(self, lane: str) -> bool:
        """Whether one of that address was let go of: the longest unused that no run holds on to."""
        for token, entry in self._entries.items():
            if entry.lane == lane and sys.getrefcount(entry.brought) <= _OURS:
                del self._entries[token]
                return True
        return False


def _table(card: TeacherCard) -> tuple[str, str]:
    """Where the embeddings of its names will come from, in a word and in a sentence."""
    config = Config()
    if at_hand(card.classes, encoder=config.encoder, prompt=config.prompt):
        return "shipped", messages.NAMES_KNOWN
    if on_this_machine(config.encoder):
        return "encoder", messages.NAMES_READ
    return "unsure", messages.NAMES_UNKNOWN
