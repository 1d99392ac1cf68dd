"""The explorer's tables. If the encoder must run, it waits for a turn, and the page says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.fairness.fair_cache import FairCache, MakeOnce
from app.fairness.fair_executor import FairExecutor
from app.middleware.client_address import address
from nayer.embeddings.label_table import Table, is_available, label_table
from nayer.text_rules import check_names

_KEPT = 64  # tables; 200 names are 0.3 MB


@dataclass(frozen=True, slots=True)
class TableRequest:
    """The inputs of a table."""

    names: tuple[str, ...]
    prompt: str
    latent: str
    seed: int
    encoder: str


def make(request: TableRequest) -> Table:
    """The table; this call runs the encoder."""
    return label_table(request.names, request.latent, encoder=request.encoder, prompt=request.prompt, seed=request.seed)


class Tables:
    """The tables of all visitors. `make` may take long, so a table that is not in the cache waits for a turn."""

    def __init__(self, turns: FairExecutor, make: Callable[[TableRequest], Table] = make) -> None:
        self._make = make
        self._kept: FairCache[TableRequest, Table] = FairCache(_KEPT)
        self._making = MakeOnce(turns, self._kept)

    def look(self, request: TableRequest) -> Table | None:
        """The table, or None while the encoder works on it. Raises NayerError; the next call tries again."""
        check_names(request.names)
        if not is_available(request.names, request.latent, encoder=request.encoder, prompt=request.prompt):
            return self._making.look(request, lambda: self._make(request))
        table = self._kept.get(request)
        if table is None:
            table = self._make(request)
            self._kept.put(request, table, address())
        return table
