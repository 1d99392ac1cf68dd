"""Uploaded teachers: checked in memory before any training, one per visitor, dropped when they are not used."""

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
from app.run_state.teacher_cards import card_json
from app.runs.limits import check_teacher
from nayer.common.hub import on_this_machine
from nayer.config import Config
from nayer.embeddings.label_table import is_available
from nayer.embeddings.packaged_encoder import packaged
from nayer.errors import ConfigError
from nayer.networks.cards import TeacherCard
from nayer.teachers.upload import PREFIX, UploadedTeacher

KEPT_SECONDS = 1800.0  # s after its visitor's last use
MEGABYTES = 256  # for all uploaded teachers, including those in runs
EACH_MEGABYTES = 128  # for the teachers of one address
_OURS = 2  # references to a teacher that no run uses: one in its entry, one in the count itself
EACH = 40  # teachers of one address: a class brings one each


def _on_a_shared_page(card: TeacherCard) -> None:
    check_teacher(card, local=False)


@dataclass
class _Entry:
    uploaded: UploadedTeacher
    card: TeacherCard
    lane: str  # the address it came from
    used: float


class Uploads:
    """Each uploaded teacher belongs to one visitor's token. For any thread. It is never written to a disk."""

    def __init__(
        self,
        *,
        megabytes: int = MEGABYTES,
        each_megabytes: int = EACH_MEGABYTES,
        each: int = EACH,
        clock: Callable[[], float] = time.monotonic,
        bears: Callable[[TeacherCard], None] = _on_a_shared_page,
    ) -> None:
        """The limits: `megabytes` in all, and for each address `each_megabytes` and `each` teachers.

        `bears`: raises ConfigError for a teacher whose smallest run is too large for this page.
        """
        self._bytes = megabytes << 20
        self._each_bytes = each_megabytes << 20
        self._each = each
        self._clock = clock
        self._bears = bears
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # by token, the longest unused first
        # All teachers in memory and their addresses. Runs keep their teachers in memory.
        self._alive: weakref.WeakKeyDictionary[UploadedTeacher, str] = weakref.WeakKeyDictionary()

    def bring(self, token: str, uploaded: UploadedTeacher) -> dict[str, Any]:
        """Takes the teacher for this visitor; it replaces their earlier one. The answer is for the page.

        Raises NayerError, with one sentence, for any problem that prevents the start of a run.
        """
        from nayer.teachers.upload_loading import opened, remarks  # imports torch; the page must not wait

        card, lane = uploaded.card(), address()
        self._bears(card)
        sentences = remarks(*opened(uploaded))
        with self._lock:
            self._entries.pop(token, None)
            self._make_room(uploaded.size, lane)
            self._alive[uploaded] = lane
            self._entries[token] = _Entry(uploaded, card, lane, self._clock())
        table, sentence = _table(card)
        return {"card": card_json(card), "said": [*sentences, sentence], "table": table}

    def of(self, token: str, name: str) -> UploadedTeacher | None:
        """This visitor's uploaded teacher of that name; None for a teacher that is not an uploaded one.

        Raises ConfigError if it belongs to another visitor or is no longer here.
        """
        if not name.startswith(PREFIX):
            return None
        with self._lock:
            entry = self._entries.get(token)
            if entry is None or entry.uploaded.name != name:
                raise ConfigError(f"teacher={name[:60]!r} does not exist, or is not yours; upload its files again.")
            entry.used = self._clock()
            self._entries.move_to_end(token)
            return entry.uploaded

    def cards(self, token: str) -> list[TeacherCard]:
        """The cards of this visitor's uploaded teachers."""
        with self._lock:
            entry = self._entries.get(token)
            return [entry.card] if entry else []

    def tidy(self) -> None:
        """Removes teachers that their visitors have not used for long. An active run still keeps its teacher."""
        with self._lock:
            late = self._clock() - KEPT_SECONDS
            for token in [token for token, entry in self._entries.items() if entry.used < late]:
                del self._entries[token]

    def _make_room(self, size: int, lane: str) -> None:
        """Makes room for one more teacher: first among those of its address, then at addresses above a fair share.

        Raises ConfigError if that is not enough.
        """
        while self._count(lane) >= self._each or self._held()[lane] + size > self._each_bytes:
            if not self._give_up(lane):
                raise ConfigError(
                    f"Too many uploaded teachers of your address are in use ({self._count(lane)}); try again in some "
                    "minutes."
                )
        while (held := self._held() + Counter({lane: size})).total() > self._bytes:
            fair = self._bytes / len(held)
            heavy = [other for other in held if other == lane or held[other] > fair]
            if not any(self._give_up(other) for other in sorted(heavy, key=lambda other: -held[other])):
                raise ConfigError(
                    "the uploaded teachers of others fill the memory for uploads; try again in some minutes."
                )

    def _count(self, lane: str) -> int:
        return sum(entry.lane == lane for entry in self._entries.values())

    def _held(self) -> Counter[str]:
        """Bytes by address."""
        held = Counter[str]()
        for uploaded, lane in self._alive.items():
            held[lane] += uploaded.size
        return held

    def _give_up(self, lane: str) -> bool:
        """Removes the least recently used teacher of that address that no run uses. Returns whether there was one."""
        for token, entry in self._entries.items():
            if entry.lane == lane and sys.getrefcount(entry.uploaded) <= _OURS:
                del self._entries[token]
                return True
        return False


def _table(card: TeacherCard) -> tuple[str, str]:
    """The source of the embeddings of its names, in a word and in a sentence."""
    config = Config()
    if is_available(card.classes, encoder=config.encoder, prompt=config.prompt):
        return "shipped", messages.NAMES_KNOWN
    if packaged(config.encoder) or on_this_machine(config.encoder):
        return "encoder", messages.NAMES_READ
    return "unsure", messages.NAMES_UNKNOWN
