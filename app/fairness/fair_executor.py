"""Runs long work in its own threads, in turns by address, so that polling never waits for it."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar

from app.fairness.fair_queue import FairQueue, QueueFull
from app.middleware.client_address import address
from nayer.errors import NayerError

T = TypeVar("T")
P = ParamSpec("P")
AGAIN = 5  # s until a refused caller asks again


class Busy(NayerError):
    """There is no room for one more request now. HTTP: 429 with Retry-After."""

    headers = {"Retry-After": str(AGAIN), "Cache-Control": "no-store"}  # noqa: RUF012 - never changed


@dataclass(eq=False)
class _Job(Generic[T]):
    """A call and its places in the queue. Each address that asks for the answer has one place."""

    call: Callable[[], T]
    key: Hashable
    answer: Future[T] = field(default_factory=Future)
    places: dict[str, _Slot] = field(default_factory=dict)  # by lane

    def run(self) -> None:
        try:
            self.answer.set_result(self.call())
        except (SystemExit, KeyboardInterrupt, StopIteration) as error:  # asyncio's futures cannot carry these
            self.answer.set_exception(RuntimeError(f"{type(error).__name__}: {error}"))
        except BaseException as error:  # the caller gets it through the future
            self.answer.set_exception(error)


@dataclass(eq=False)
class _Slot:
    job: _Job[Any]
    lane: str


class FairExecutor:
    """A bounded pool of daemon threads. For any thread.

    `workers` calls run at once, at most one for each address. `waiting` calls may wait, `each` of them per address.
    """

    def __init__(self, name: str, *, workers: int, waiting: int, each: int) -> None:
        """`name`: the waiting things, in the plural, for the sentence of a refusal."""
        self._name = name
        self._workers = workers
        self._queue: FairQueue[_Slot] = FairQueue(waiting, each)
        self._lock = threading.Lock()
        self._busy: set[str] = set()  # lanes whose call is running
        self._jobs: dict[Hashable, _Job[Any]] = {}  # jobs with a key, from the request to the answer
        self._threads = 0

    def submit(self, call: Callable[[], T], *, key: Hashable = None) -> Future[T]:
        """A future for the answer. The call runs in a turn of the address that asks. Raises Busy.

        A caller that asks for the same `key` before the answer is ready gets the same answer, at the earliest turn.
        """
        lane = address()
        with self._lock:
            job = self._jobs.get(key) if key is not None else None
            if job is None:
                job = _Job(_in_this_context(call), key)
                self._join(job, lane)
                if key is not None:
                    self._jobs[key] = job
                self._start_worker(job)
            elif job.places and lane not in job.places and self._queue.has_room(lane):
                self._join(job, lane)  # others need not wait for the turn of an address that asks for much
            return job.answer

    async def run(self, call: Callable[[], T], *, key: Hashable = None) -> T:
        """Calls `submit` and waits without a thread."""
        return await asyncio.shield(asyncio.wrap_future(self.submit(call, key=key)))

    def _join(self, job: _Job[Any], lane: str) -> None:
        place = _Slot(job, lane)
        try:
            self._queue.add(place, lane)
        except QueueFull:
            raise Busy(
                f"{self._name}: the queue takes no more of your address (waiting: {len(self._queue)}); try again in "
                f"{AGAIN} s."
            ) from None
        job.places[lane] = place

    def _start_worker(self, job: _Job[Any]) -> None:
        if self._threads == self._workers:
            return
        try:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError:  # the machine has no thread to spare
            if self._threads == 0:
                self._leave(job)
                self._jobs.pop(job.key, None)
                raise Busy(
                    f"{self._name} cannot start because the machine is too busy; try again in {AGAIN} s."
                ) from None
            return
        self._threads += 1

    def _work(self) -> None:
        while (place := self._next()) is not None:
            place.job.run()
            with self._lock:
                self._busy.discard(place.lane)
                self._jobs.pop(place.job.key, None)

    def _next(self) -> _Slot | None:
        with self._lock:
            try:
                place = self._queue.pop(self._busy)
            except IndexError:
                self._threads -= 1  # the worker of a busy lane also takes the next job of that lane
                return None
            self._busy.add(place.lane)
            self._leave(place.job)
            return place

    def _leave(self, job: _Job[Any]) -> None:
        for place in job.places.values():
            self._queue.remove(place)
        job.places.clear()


def _in_this_context(call: Callable[[], T]) -> Callable[[], T]:
    """`call` in the present context: it knows the request that it belongs to."""
    context = contextvars.copy_context()
    return lambda: context.run(call)


def in_turn(turns: FairExecutor, function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A slow `function` as a coroutine that waits for a turn of its address. It can also raise Busy."""

    @wraps(function)
    async def waits(*given: P.args, **named: P.kwargs) -> T:
        return await turns.run(lambda: function(*given, **named))

    return waits
