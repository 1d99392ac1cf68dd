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
    """One sentence for a run that ends with `error`. It is the error's own for a NayerError, else it has no details."""
    if isinstance(error, NayerError):
        return str(error)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "allocate" in str(error).lower()):
        return "The run needs more memory than the machine has; use a smaller synthesis_batch or generator_width."
    number = secrets.token_hex(4)
    log.error("run failed, error %s", number, exc_info=error)
    return f"The run stopped because of an unexpected error (number {number} in the log); other runs continue."


def not_in_memory() -> ConfigError:
    """The error for a question to a run whose networks are no longer in memory."""
    return ConfigError("this run is no longer in memory; such questions work only while it runs.")


def close(events: Iterator[object]) -> None:
    """Closes a generator. Logs its errors and raises none."""
    try:
        if isinstance(events, Generator):
            events.close()
    except BaseException:
        log.exception("a run could not be closed in order")


Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Question(Generic[Asked, Answer]):
    """A call with the source as its argument. `future` has the result or the error of the call."""

    def __init__(self, call: Callable[[Asked], Answer]) -> None:
        self.future: Future[Answer] = Future()
        self._call = call

    def answer(self, source: Asked) -> None:
        """Answers with the result or the error of the call."""
        try:
            self.future.set_result(self._call(source))
        except Exception as error:
            self.future.set_exception(error)
        except BaseException as error:  # it would end this thread's run, or the event loop of who asks
            self.future.set_exception(RuntimeError(f"{type(error).__name__}: {error}"))

    def refuse(self) -> None:
        """Answers that there is no source: not yet, or no longer."""
        self.future.set_exception(not_in_memory())


class RequestQueue(Generic[Asked]):
    """The source and the questions that wait for it. Any thread may call every method.

    `changed` guards the waiting questions. A thread that puts a question holds it to check whether the source works.
    The worker holds it to say that the work is over. So no question arrives too late for an answer.
    """

    def __init__(self, changed: threading.Condition) -> None:
        self.source: Asked | None = None
        self.source_lock = threading.Lock()  # held while the source answers or runs
        self._changed = changed
        self._waiting: list[Question[Asked, Any]] = []

    @property
    def waiting(self) -> bool:
        """Whether any questions wait."""
        return bool(self._waiting)

    def put(self, question: Question[Asked, Any]) -> None:
        """Adds the question to those that wait for the worker."""
        with self._changed:
            self._waiting.append(question)
            self._changed.notify_all()

    def take(self) -> list[Question[Asked, Any]]:
        """Removes and returns the waiting questions, in order. The caller must answer or refuse them."""
        with self._changed:
            taken, self._waiting = self._waiting, []
        return taken

    def answer(self, question: Question[Asked, Any]) -> None:
        """Answers in this thread, when the source no longer works."""
        with self.source_lock:
            source = self.source
            if source is None:
                question.refuse()
            else:
                question.answer(source)

    def answer_waiting(self) -> None:
        """Answers all questions that wait."""
        for question in self.take():
            self.answer(question)
