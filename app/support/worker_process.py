"""A separate process for work that keeps Python busy, such as drawing. Looks continue during this work.

Python lets one thread of a process work at a time, and freed memory often stays with the process. So such work goes to
another process, which runs at a lower priority, is replaced when it dies, and ends when nobody has asked for a while.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TypeVar

from app.support import event_log
from nayer.errors import NayerError

P = ParamSpec("P")
T = TypeVar("T")

NICER = 5  # steps of priority below the server's: beside two runs on two cores it gets a quarter of one
_LENGTH = 8  # bytes before each message, which tell its length
_ROOT = Path(__file__).parents[2]
_BEGIN = "import sys; sys.path[:] = {path!r}; from app.support.worker_process import serve; serve()"
# One core is what it may take.
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


class WorkerLost(NayerError):
    """The process ended, or was killed, before its answer. HTTP: 503 with Retry-After."""


class WorkerProcess:
    """Calls functions in another process, one at a time; it begins at the first call. For any thread.

    A function must be at module level. Its arguments and its result must be picklable.
    """

    def __init__(self, name: str, *, longest: float, idle: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`name`: what it does, for sentences and the log; `longest`: seconds a call may take; `idle`: seconds after
        its latest call at which `tidy` ends it."""
        self._name = name
        self._longest = longest
        self._idle = idle
        self._clock = clock
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None  # only the caller with the turn changes it
        self._latest = clock()
        self._closed = False

    @property
    def number(self) -> int | None:
        """The id of the process, if there is one."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def call(self, function: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Returns or raises the result of `function` in the process. Raises WorkerLost if it ends before its answer.

        Waits for the calls before it.
        """
        message = pickle.dumps((function, given, named), pickle.HIGHEST_PROTOCOL)
        with self._turn:
            try:
                answer = self._answer(message)
            finally:
                self._latest = self._clock()
        well, value = pickle.loads(answer)  # our own code wrote it, through our own pipe
        if not well:
            raise value
        returned: T = value
        return returned

    def tidy(self) -> None:
        """Ends the process if it had no call for `idle` seconds. Never waits for a call."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            if self._clock() - self._latest >= self._idle:
                self._end()
        finally:
            self._turn.release()

    def close(self) -> None:
        """Ends the process. The present call and all later calls raise WorkerLost."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()
        with self._turn:
            self._end()

    def _answer(self, message: bytes) -> bytes:
        for _ in range(2):
            process = self._begun()
            fresh = self._process is not process
            self._process = process
            if self._closed:  # by now
                self._end()
                raise WorkerLost(f"{self._name} is not possible, because the server ends; try again after its restart.")
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                with self._deadline(process) as late, contextlib.suppress(OSError):
                    _write(process.stdin, message)
                    if (answer := _read(process.stdout)) is not None:
                        return answer
            except BaseException:  # such as MemoryError: the next caller would get the rest of this answer
                self._end()
                raise
            self._end()
            event_log.event("worker process lost", "", work=self._name, status=process.returncode, late=late.is_set())
            if late.is_set():
                raise WorkerLost(f"{self._name} took more than {self._longest:g} s and was stopped; try again.")
            if fresh:
                break  # one that has answered before may have died long ago, and another one can do it
        raise WorkerLost(f"{self._name} failed, because its process ended; try again.")

    def _begun(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        path = [str(_ROOT), *(place for place in sys.path if place)]
        try:
            return subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", _BEGIN.format(path=path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # the log is the server's
                env=os.environ | _THREADS,
            )
        except OSError as error:
            raise WorkerLost(f"{self._name} cannot start a process ({error.strerror}); try again later.") from None

    @contextmanager
    def _deadline(self, process: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
        """Inside, `process` is killed when the call takes too long. The event is then set."""
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._longest, end)
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # the system gives no more threads
            raise WorkerLost(f"{self._name} cannot start a thread; try again later.") from None
        try:
            yield late
        finally:
            timer.cancel()

    def _end(self) -> None:
        """Leaves no process, no zombie and no open pipe behind."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()  # it holds nothing that could be lost
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with contextlib.suppress(OSError):  # the rest of the unwritten bytes
                    pipe.close()


def serve() -> None:
    """The main function of the process. It answers calls until the server closes the pipe or ends in any way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's
    if hasattr(os, "nice"):
        os.nice(NICER)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the output of a library is no answer
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(calls,), daemon=True).start()
    while True:
        _write(answers, _answer_to(calls.get()))


def _receive(calls: queue.SimpleQueue[bytes]) -> None:
    """In a thread of its own, so that the end of the server is noticed during a call."""
    while (message := _read(sys.stdin.buffer)) is not None:
        calls.put(message)
    os._exit(0)


def _answer_to(message: bytes) -> bytes:
    try:
        function, given, named = pickle.loads(message)
        return pickle.dumps((True, function(*given, **named)), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        try:
            pickle.loads(answer := pickle.dumps((False, error)))
        except Exception:  # such as one whose constructor takes more than its text
            answer = pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}"[:300])))
        return answer


def _write(pipe: Any, message: bytes) -> None:
    pipe.write(len(message).to_bytes(_LENGTH, "big") + message)
    pipe.flush()


def _read(pipe: BinaryIO | Any) -> bytes | None:
    """The next message; None when the other end is closed."""
    length = pipe.read(_LENGTH)
    if len(length) < _LENGTH:
        return None
    message: bytes = pipe.read(size := int.from_bytes(length, "big"))
    return message if len(message) == size else None
