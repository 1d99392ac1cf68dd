"""Runs two training loops at once, one of them in its own thread. The order of their events does not depend on time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import TypeVar

import torch

from nayer.events import GeneratorStep, StudentStep

Result = TypeVar("Result")


@contextmanager
def half_the_threads() -> Iterator[None]:
    """Inside, the arithmetic of the calling thread uses half of its threads, at least one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads // 2))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class InBackground(Iterator[StudentStep]):
    """Inside the block, `steps` run ahead in a thread of their own, with `threads` threads of arithmetic.

    Iterating gives the same events, or raises the same error, as `steps` itself. At the end of the block the thread
    ends after its present step.
    """

    def __init__(self, steps: Generator[StudentStep, None, None], threads: int) -> None:
        self._steps = steps
        self._threads = threads
        self._steps_done: queue.SimpleQueue[StudentStep | BaseException] = queue.SimpleQueue()
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._work, name="student", daemon=True)

    def __enter__(self) -> InBackground:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._thread.join()

    def __next__(self) -> StudentStep:
        item = self._steps_done.get()
        if isinstance(item, BaseException):
            self._steps_done.put(item)  # a later call gets the same
            raise item
        return item

    def _work(self) -> None:
        torch.set_num_threads(self._threads)  # of this thread
        try:
            with closing(self._steps):
                for step in self._steps:
                    self._steps_done.put(step)
                    if self._left.is_set():
                        break
            self._steps_done.put(StopIteration())
        except BaseException as error:  # raised again in the thread that asks
            self._steps_done.put(error)


def interleave(
    synthesis: Generator[GeneratorStep, None, Result], student_steps: Iterator[StudentStep]
) -> Generator[GeneratorStep | StudentStep, None, Result]:
    """Both loops' steps in proportion: after the i-th of m generator steps, i/m of the student's steps are done.

    Returns the result of `synthesis`, after both have ended.
    """
    upcoming = next(student_steps, None)
    while True:
        try:
            made = next(synthesis)
        except StopIteration as end:
            result: Result = end.value
            break
        yield made
        while upcoming and (upcoming.step + 1) * made.steps <= (made.step + 1) * upcoming.steps:
            yield upcoming
            upcoming = next(student_steps, None)
    while upcoming:
        yield upcoming
        upcoming = next(student_steps, None)
    return result
