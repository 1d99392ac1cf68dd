"""The explorer's tables. If an encoder must run, it runs in a turn, and the page says that it waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.fairness.fair_cache import FairCache, MakeOnce
from app.fairness.fair_executor import FairExecutor
from app.middleware.client_address import address
from nayer.embeddings.label_table import Table, at_hand, label_table
from nayer.text_rules import check_names

_KEPT = 64  # tables; 200 names are 0.3 MB


@dataclass(frozen=True, slots=True)
class Wanted:
    """The inputs of a table."""

    names: tuple[str, ...]
    prompt: str
    latent: str
    seed: int
    encoder: str


def make(wanted: Wanted) -> Table:
    """The table itself; the encoder runs in here."""
    return label_table(wanted.names, wanted.latent, encoder=wanted.encoder, prompt=wanted.prompt, seed=wanted.seed)


class Tables:
    """The tables of all visitors. `make` may take long. A table that is not kept waits for a turn of its address."""

    def __init__(self, turns: FairExecutor, make: Callable[[Wanted], Table] = make) -> None:
        self._make = make
        self._kept: FairCache[Wanted, Table] = FairCache(_KEPT)
        self._making = MakeOnce(turns, self._kept)

    def look(self, wanted: Wanted) -> Table | None:
        """The table, or None while the encoder works on it. Raises NayerError; the next call tries again."""
        check_names(wanted.names)
        if not at_hand(wanted.names, wanted.latent, encoder=wanted.encoder, prompt=wanted.prompt):
            return self._making.look(wanted, lambda: self._make(wanted))
        table = self._kept.get(wanted)
        if table is None:
            table = self._make(wanted)
            self._kept.put(wanted, table, address())
        return table
