"""What a person is told when something fails that nobody foresaw; the rest is in the log."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Generator, Iterator

from nayer.errors import ConfigError, NayerError

log = logging.getLogger(__name__)


def sentence(error: BaseException) -> str:
    """One sentence for a run that ends with `error`: its own for ours, else none of its details."""
    if isinstance(error, NayerError):
        return str(error)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "allocate" in str(error).lower()):
        return "The machine ran out of memory for this run; try a smaller synthesis_batch or generator_width."
    number = secrets.token_hex(4)
    log.error("run failed, error %s", number, exc_info=error)
    return f"The run stopped on an unexpected error (number {number} in the log); other runs go on."


def not_in_memory() -> ConfigError:
    """For whoever asks a run whose networks are gone."""
    return ConfigError("this run is not in memory, so nothing can be asked of it; ask while it runs.")


def close(events: Iterator[object]) -> None:
    """Closes a generator, whatever it does on its way out."""
    try:
        if isinstance(events, Generator):
            events.close()
    except BaseException:
        log.exception("a run could not be closed in order")
