"""Standard streams that may be closed, full, or without a reader, and the signals that ask a command to stop."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from nayer.cli.exit_codes import STOPPED
from nayer.errors import StorageError

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Output(io.TextIOWrapper):
    """Standard output. A failed write raises StorageError, or BrokenPipeError without a reader. The rest is lost."""

    def write(self, text: str) -> int:
        """As a text stream does."""
        try:
            return super().write(text)
        except OSError as error:
            raise self._failure(error) from None

    def flush(self) -> None:
        """As a text stream does."""
        try:
            super().flush()
        except OSError as error:
            raise self._failure(error) from None

    def _failure(self, error: OSError) -> Exception:
        handle = os.open(os.devnull, os.O_WRONLY)  # the buffer's content goes there, now and when Python ends
        os.dup2(handle, self.fileno())
        os.close(handle)
        if isinstance(error, BrokenPipeError):
            return error
        return StorageError(
            f"Standard output cannot be written ({error.strerror}); send it to a place with free space."
        )


class StandardError(io.TextIOWrapper):
    """Standard error. Failed writes are lost. A BrokenPipeError in the main thread means that there is no reader."""

    def write(self, text: str) -> int:
        """As a text stream does."""
        self._write_if_possible(super().write, text)
        return len(text)

    def flush(self) -> None:
        """As a text stream does."""
        self._write_if_possible(super().flush)

    def _write_if_possible(self, act: Callable[..., object], *given: str) -> None:
        try:
            act(*given)
        except BrokenPipeError:
            if threading.current_thread() is threading.main_thread():
                raise
        except OSError:
            pass


def prepare() -> None:
    """Makes all three streams usable. Call it once, when the process begins.

    A closed stream is opened on the null device, so that no other file gets its number. Standard output is opened for
    reading, so that a write fails and is reported. A character that the encoding lacks is written as an escape.
    """
    for number, access in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        if not _is_open(number):
            os.open(os.devnull, access)  # gets the lowest free number
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 (it stays open)
    sys.stdout = Output(_raw(1, buffered=True), **_manner(sys.stdout), line_buffering=os.isatty(1))
    sys.stderr = StandardError(_raw(2, buffered=False), **_manner(sys.stderr), write_through=True)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _raw(number: int, *, buffered: bool) -> Any:
    raw = io.FileIO(number, "w", closefd=False)
    return io.BufferedWriter(raw) if buffered else raw


def _manner(stream: Any) -> dict[str, Any]:
    return {"encoding": getattr(stream, "encoding", None) or "utf-8", "errors": "backslashreplace"}


class Stopped(KeyboardInterrupt):
    """A signal that asks the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = STOPPED + number


@contextmanager
def on_signals(act: Callable[[int], None]) -> Iterator[None]:
    """Calls `act` with the number of a signal that asks the command to stop. Restores the old handlers at the end.

    Ignored signals stay ignored, as under nohup. Only the main thread gets signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        act(number)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    heard = [number for number in SIGNALS if before[number] != signal.SIG_IGN]
    for number in heard:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


def stop(number: int) -> None:
    """Raises Stopped."""
    raise Stopped(number)
