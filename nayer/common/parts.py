"""Names of a round's parts, for profilers: torch's own profiler shows them, and a listener gets their begin and end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from torch.profiler import record_function

Listener = Callable[[str], AbstractContextManager[object]]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def part(name: str) -> Iterator[None]:
    """Code inside the block, or in the decorated function, belongs to the part of that name."""
    listener = _listener.get()
    with record_function(f"nayer: {name}"), listener(name) if listener else nullcontext():
        yield


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Inside the block, `listener` opens its own context around each part that this thread runs."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
