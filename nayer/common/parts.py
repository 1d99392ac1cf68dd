"""Names of a round's parts, for profilers: torch's own shows them, and a listener hears them begin and end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from torch.profiler import record_function

Listener = Callable[[str], AbstractContextManager[object]]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def part(name: str) -> Iterator[None]:
    """What runs inside the block, or in the function that is decorated, belongs to the part of that name."""
    listener = _listener.get()
    with record_function(f"nayer: {name}"), listener(name) if listener else nullcontext():
        yield


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Has `listener` enter a context of its own around each part that this thread runs inside the block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
