"""Work in another process: the same answers, lower priority, replaced when it dies, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from app.support.worker_process import NICER, WorkerLost, WorkerProcess
from nayer.errors import ConfigError
from tests.support.repository import ROOT
from tests.support.serving import wait_until


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    made = WorkerProcess("drawing", longest=600.0, idle=60.0)
    yield made
    made.close()


def refuse(what: str) -> None:
    raise ConfigError(what)


class Odd(Exception):
    """Pickle cannot make one anew."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail_oddly() -> None:
    raise Odd(1, 2)


def speak() -> int:
    os.write(1, b"not an answer")
    sys.stdout.write("nor this\n")
    sys.stdout.flush()
    return os.getpid()


def priority() -> int:
    return os.nice(0)


def gone(number: int) -> bool:
    """Whether there is no such process, and no zombie of it."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return False


def test_it_answers_and_refuses_as_the_function_does_in_another_process_of_lower_priority(
    worker: WorkerProcess,
) -> None:
    assert worker.number is None
    assert worker.call(divmod, 17, 5) == (3, 2)
    with pytest.raises(ConfigError, match=r"^width=0 does not work\.$"):
        worker.call(refuse, "width=0 does not work.")
    with pytest.raises(RuntimeError, match="Odd: 1 and 2"):
        worker.call(fail_oddly)
    with pytest.raises(ValueError, match="no number"):
        worker.call(str, Unreadable())
    assert worker.call(speak) == worker.number != os.getpid()
    assert worker.call(priority) == os.nice(0) + NICER


class Unreadable:
    """The other process fails to make one."""

    def __reduce__(self) -> tuple[object, ...]:
        return int, ("no number",)


def test_one_that_dies_is_one_sentence_and_the_next_call_has_another(worker: WorkerProcess) -> None:
    first = worker.call(os.getpid)
    with pytest.raises(WorkerLost, match=r"^drawing failed, because its process ended; try again\.$"):
        worker.call(os._exit, 3)  # and so does the one that it is tried in again
    second = worker.call(os.getpid)
    os.kill(second, signal.SIGKILL)  # between two calls
    third = worker.call(os.getpid)
    assert len({first, second, third}) == 3
    assert gone(first)
    assert gone(second)


def test_a_call_that_takes_too_long_is_ended() -> None:
    worker = WorkerProcess("drawing", longest=0.5, idle=60.0)
    with pytest.raises(WorkerLost, match=r"drawing took more than 0\.5 s and was stopped"):
        worker.call(time.sleep, 600)
    assert worker.number is None
    worker.close()


def test_an_answer_that_is_read_in_part_is_not_the_next_callers(
    worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory can end while an answer is read. Its rest must not wait in the pipe for somebody else."""
    assert worker.call(str.upper, "warm") == "WARM"

    def out_of_memory(pipe: BinaryIO) -> bytes:
        pipe.read(8)
        raise MemoryError

    with monkeypatch.context() as short:
        short.setattr("app.support.worker_process._read", out_of_memory)
        with pytest.raises(MemoryError):
            worker.call(str.upper, "mine")
    assert worker.number is None
    assert worker.call(str.upper, "yours") == "YOURS"


def test_a_machine_without_a_thread_for_the_deadline_is_one_sentence(
    worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as busy:
        busy.setattr("app.support.worker_process.threading.Timer.start", no_more)
        with pytest.raises(WorkerLost, match=r"^drawing cannot start a thread; try again later\.$"):
            worker.call(abs, -1)
    assert worker.call(abs, -1) == 1


def test_calls_at_once_wait_for_each_other_and_get_their_own_answers(worker: WorkerProcess) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda number: worker.call(abs, -number), range(100))) == list(range(100))


def test_large_messages_go_through(worker: WorkerProcess) -> None:
    content = bytes(range(256)) * 40_000
    assert worker.call(bytes.swapcase, content) == content.swapcase()


def test_it_ends_when_nobody_has_asked_it_for_long() -> None:
    now = [0.0]
    worker = WorkerProcess("drawing", longest=600.0, idle=10.0, clock=lambda: now[0])
    number = worker.call(os.getpid)
    now[0] = 9.0
    worker.tidy()
    assert worker.number == number
    worker.call(abs, 1)
    now[0] = 18.0
    worker.tidy()
    assert worker.number == number
    now[0] = 19.0
    worker.tidy()
    assert worker.number is None
    assert gone(number)
    assert worker.call(os.getpid) != number
    worker.close()


def test_a_close_ends_the_call_that_is_under_way(worker: WorkerProcess) -> None:
    number = worker.call(os.getpid)
    told: list[BaseException] = []

    def wait() -> None:
        try:
            worker.call(time.sleep, 600)
        except WorkerLost as error:
            told.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    wait_until(worker._turn.locked)
    worker.tidy()  # which does not wait, and does not end it
    worker.close()
    thread.join()
    assert len(told) == 1
    assert gone(number)
    with pytest.raises(WorkerLost, match="the server ends"):
        worker.call(abs, 1)


@pytest.mark.parametrize("busy", [False, True])
def test_a_server_that_is_killed_leaves_no_process_behind(busy: bool, tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from app.support.worker_process import WorkerProcess\n"
        "worker = WorkerProcess('drawing', longest=600.0, idle=600.0)\n"
        "print(worker.call(os.getpid), flush=True)\n"
        + ("worker.call(time.sleep, 600)\n" if busy else "time.sleep(600)\n")
    )
    server = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with server:
        assert server.stdout is not None
        number = int(server.stdout.readline())
        server.kill()
    wait_until(lambda: _ended(number))


def _ended(number: int) -> bool:
    """Gone, or a zombie of whoever adopts processes here."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
