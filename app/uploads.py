"""Teachers that visitors bring: checked in memory before any training, one a visitor, gone when nobody uses them."""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app import text
from app.cards import shown
from app.cost import check_teacher
from nayer.brought import PREFIX, Brought
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.hub import on_this_machine
from nayer.labels import at_hand
from nayer.teacher_cards import TeacherCard

KEPT_SECONDS = 1800.0  # after its visitor has last used it
MEGABYTES = 256  # of all that are here, those in runs among them


def _on_a_shared_page(card: TeacherCard) -> None:
    check_teacher(card, local=False)


@dataclass
class _Entry:
    brought: Brought
    card: TeacherCard
    used: float


class Uploads:
    """What is brought under a visitor's token is nobody else's. For any thread; nothing is ever written to a disk."""

    def __init__(
        self,
        *,
        megabytes: int = MEGABYTES,
        clock: Callable[[], float] = time.monotonic,
        bears: Callable[[TeacherCard], None] = _on_a_shared_page,
    ) -> None:
        """`bears`: raises ConfigError for a teacher whose smallest run is too large for this page."""
        self._bytes = megabytes << 20
        self._clock = clock
        self._bears = bears
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # by token, the longest unused first
        self._alive: weakref.WeakSet[Brought] = weakref.WeakSet()  # runs hold on to theirs

    def bring(self, token: str, brought: Brought) -> dict[str, Any]:
        """Takes it for this visitor, in place of what they brought before; the answer is for the page.

        Raises NayerError, in one sentence, for whatever would keep a run from starting.
        """
        from nayer.brought_teacher import opened, remarks  # with torch, which the page does not wait for

        card = brought.card()
        self._bears(card)
        said = remarks(*opened(brought))
        with self._lock:
            self._entries.pop(token, None)
            self._make_room(brought.size)
            self._alive.add(brought)
            self._entries[token] = _Entry(brought, card, self._clock())
        table, sentence = _table(card)
        return {"card": shown(card), "said": [*said, sentence], "table": table}

    def of(self, token: str, name: str) -> Brought | None:
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

    def _make_room(self, size: int) -> None:
        while sum(brought.size for brought in self._alive) + size > self._bytes:
            if not self._entries:
                raise ConfigError(
                    "teachers that others brought fill the memory set aside for them; try again in some minutes."
                )
            self._entries.popitem(last=False)


def _table(card: TeacherCard) -> tuple[str, str]:
    """Where the embeddings of its names will come from, in a word and in a sentence."""
    config = Config()
    if at_hand(card.classes, encoder=config.encoder, prompt=config.prompt):
        return "shipped", text.NAMES_KNOWN
    if on_this_machine(config.encoder):
        return "encoder", text.NAMES_READ
    return "unsure", text.NAMES_UNKNOWN
