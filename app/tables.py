"""Tables of names for the explorer: at once where no encoder has to run, else from a thread while the page says so."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from nayer.errors import NayerError
from nayer.labels import Table, at_hand, label_table
from nayer.text_rules import check_names

_KEPT = 64  # tables; 200 names are 0.3 MB
_WAITING = 16  # lists of names that may wait for the encoder


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a table is made from."""

    names: tuple[str, ...]
    prompt: str
    latent: str
    seed: int
    encoder: str


def make(wanted: Wanted) -> Table:
    """The table itself; the encoder runs in here."""
    return label_table(wanted.names, wanted.latent, encoder=wanted.encoder, prompt=wanted.prompt, seed=wanted.seed)


class Tables:
    """The newest tables of all visitors. `make` may take long; only what is not at hand is left to a thread."""

    def __init__(self, make: Callable[[Wanted], Table] = make) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: OrderedDict[Wanted, Future[Table]] = OrderedDict()

    def look(self, wanted: Wanted) -> Table | None:
        """The table, or None while the encoder is at work on it. Raises NayerError; asking again tries again."""
        check_names(wanted.names)
        quick = at_hand(wanted.names, wanted.latent, encoder=wanted.encoder, prompt=wanted.prompt)
        with self._lock:
            answer = self._made.get(wanted)
            if answer is None:
                answer = self._begin(wanted, quick)
            self._made.move_to_end(wanted)
            if answer.done() and answer.exception() is not None:
                del self._made[wanted]
            self._forget()
        return answer.result() if answer.done() else None

    def _begin(self, wanted: Wanted, quick: bool) -> Future[Table]:
        answer: Future[Table] = Future()
        if not quick and sum(not other.done() for other in self._made.values()) >= _WAITING:
            raise NayerError(f"{_WAITING} lists of names wait for the text encoder; ask again in a minute.")
        self._made[wanted] = answer
        if quick:
            self._work(wanted, answer)
        else:
            threading.Thread(target=self._work, args=(wanted, answer), name="encoder", daemon=True).start()
        return answer

    def _work(self, wanted: Wanted, answer: Future[Table]) -> None:
        try:
            answer.set_result(self._make(wanted))
        except Exception as error:  # reaches whoever asks next
            answer.set_exception(error)

    def _forget(self) -> None:
        done = [wanted for wanted, answer in self._made.items() if answer.done()]
        for wanted in done[:-_KEPT]:
            del self._made[wanted]
