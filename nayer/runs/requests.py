"""Requests to a source that works in another thread, and the sentence for a failure."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from nayer.errors import ConfigError, NayerError

log = logging.getLogger(__name__)


def sentence(error: BaseException) -> str:
    """One sentence for a run that ends with `error`: its own for ours, else none of its details."""
    if isinstance(error, NayerError):
        return str(error)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "allocate" in str(error).lower()):
        return "The run needs more memory than the machine has; use a smaller synthesis_batch or generator_width."
    number = secrets.token_hex(4)
    log.error("run failed, error %s", number, exc_info=error)
    return f"The run stopped because of an unexpected error (number {number} in the log); other runs continue."


def not_in_memory() -> ConfigError:
    """For whoever asks a run whose networks are gone."""
    return ConfigError("this run is no longer in memory; such questions work only while it runs.")


def close(events: Iterator[object]) -> None:
    """Closes a generator, whatever it does on its way out."""
    try:
        if isinstance(events, Generator):
            events.close()
    except BaseException:
        log.exception("a run could not be closed in order")


Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Question(Generic[Asked, Answer]):
    """A call to be made with the source; `future` gives what it gives and raises what it raises."""

    def __init__(self, call: Callable[[Asked], Answer]) -> None:
        self.future: Future[Answer] = Future()
        self._call = call

    def answer(self, source: Asked) -> None:
        """Answers with what the call returns or raises."""
        try:
            self.future.set_result(self._call(source))
        except Exception as error:
            self.future.set_exception(error)

    def refuse(self) -> None:
        """There is no source to ask, not yet or no more."""
        self.future.set_exception(not_in_memory())


class RequestQueue(Generic[Asked]):
    """The source, and the questions that wait for it. Every method may be called from any thread.

    `changed` guards those that wait. Whoever puts them holds it while they look whether the source is at work, and who
    works holds it to say that the work is over: then none is put too late to be answered.
    """

    def __init__(self, changed: threading.Condition) -> None:
        self.source: Asked | None = None
        self.at_rest = threading.Lock()  # held while the source is asked or goes on
        self._changed = changed
        self._waiting: list[Question[Asked, Any]] = []

    @property
    def waiting(self) -> bool:
        """Whether any do."""
        return bool(self._waiting)

    def put(self, question: Question[Asked, Any]) -> None:
        """Lets it wait for whoever is at work with the source."""
        with self._changed:
            self._waiting.append(question)
            self._changed.notify_all()

    def take(self) -> list[Question[Asked, Any]]:
        """Those that wait, in their order; they are the caller's to answer or refuse."""
        with self._changed:
            taken, self._waiting = self._waiting, []
        return taken

    def answer(self, question: Question[Asked, Any]) -> None:
        """In this thread, once the source does not work any more."""
        with self.at_rest:
            source = self.source
            if source is None:
                question.refuse()
            else:
                question.answer(source)

    def answer_waiting(self) -> None:
        """Answers all questions that wait."""
        for question in self.take():
            self.answer(question)
