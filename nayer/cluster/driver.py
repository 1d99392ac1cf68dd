"""The process that speaks with Ray. If a cluster dies, Ray ends this process, and only this one.

`ray_cluster` starts it and sends it requests over a socket. It answers each in a thread. When the socket closes, it
ends its runs, and the cluster that it started.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from nayer.cluster.jobs import Job, JobEvent, LabLost, Machine
from nayer.cluster.ray_jobs import RayJobs, as_error, machines
from nayer.cluster.tasks import LabActor

THREADS = 64  # requests at once
WAIT_SECONDS = 1.0  # between two tries
OPEN_TRIES = 10  # tries to find a machine for a lab


class Driver:
    """Answers requests: each method without an underscore is one."""

    def __init__(self) -> None:
        self._jobs: dict[int, RayJobs] = {}
        self._labs: dict[int, Any] = {}
        self._numbers = iter(range(1 << 62))
        self._lock = threading.Lock()

    def connect(self, options: dict[str, Any]) -> list[Machine]:
        """Connects with a cluster, or starts one; `options` are arguments of `ray.init`. Returns its machines."""
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        ray.init(log_to_driver=False, logging_level="ERROR", **options)
        for number, handler in handlers.items():  # Ray replaces the first one
            signal.signal(number, handler)
        return machines()

    def free_cpus(self) -> float:
        """The number of processors that no run uses."""
        return float(ray.available_resources().get("CPU", 0.0))

    def run(self, jobs: Sequence[Job]) -> int:
        """Starts jobs; returns the number by which the other requests name them."""
        with self._lock:
            number = next(self._numbers)
            self._jobs[number] = RayJobs(jobs)
        return number

    def next_job_event(self, jobs: int) -> JobEvent | None:
        """The next event of these jobs."""
        return self._jobs[jobs].next_event()

    def end(self, jobs: int) -> None:
        """Ends these jobs."""
        self._jobs.pop(jobs).close()

    def open_lab(self, cpus: float, gpus: float, *arguments: Any) -> tuple[int, str]:
        """Starts a lab; returns its number and the name of its machine, when it has one.

        Ray knows of a dead machine after some seconds. Until then it may choose it; a later try chooses another.
        """
        actors: Any = LabActor
        for tries_left in reversed(range(OPEN_TRIES)):
            actor = actors.options(num_cpus=cpus, num_gpus=gpus).remote(*arguments)
            try:
                name = str(self._result(actor.node.remote()))
            except LabLost:
                if not tries_left:
                    raise
                time.sleep(WAIT_SECONDS)
                continue
            with self._lock:
                number = next(self._numbers)
                self._labs[number] = actor
            return number, name
        raise AssertionError("the last try returns or raises")

    def next_event(self, lab: int) -> Any:
        """The next event of a lab."""
        return self._result(self._lab(lab).next.remote())

    def call(self, lab: int, name: str, *arguments: Any) -> Any:
        """A method of a lab, between two events."""
        return self._result(self._lab(lab).call.remote(name, *arguments))

    def process(self, lab: int) -> int:
        """The process ID of a lab, on its machine."""
        return int(self._result(self._lab(lab).process.remote()))

    def call_concurrently(self, lab: int, name: str, *arguments: Any) -> Any:
        """A method of a lab, at any time."""
        return self._result(self._lab(lab).call_concurrently.remote(name, *arguments))

    def close_lab(self, lab: int) -> None:
        """Ends a lab and frees its machine."""
        actor = self._labs.pop(lab, None)
        if actor is not None:
            ray.kill(actor)

    def _lab(self, number: int) -> Any:
        actor = self._labs.get(number)
        if actor is None:
            raise LabLost("closed")
        return actor

    def _result(self, ref: Any) -> Any:
        try:
            return ray.get(ref)
        except RayTaskError as error:
            raise as_error(error) from None
        except RayError as error:
            raise LabLost(type(error).__name__) from None


def serve(connection: Connection, folder: str) -> None:
    """Answers the requests of a connection until it closes. Then removes the folder and ends the process."""
    driver, writing = Driver(), threading.Lock()

    def answer(number: int, name: str, arguments: Sequence[Any]) -> None:
        try:
            reply: tuple[int, bool, Any] = (number, True, getattr(driver, name)(*arguments))
        except BaseException as error:
            reply = (number, False, error)
        try:
            content = pickle.dumps(reply)
        except Exception:
            content = pickle.dumps((number, False, RuntimeError(str(reply[2])[:1000])))
        with writing, contextlib.suppress(OSError):
            connection.send_bytes(content)

    with ThreadPoolExecutor(THREADS) as threads:
        while True:
            try:
                number, name, arguments = pickle.loads(connection.recv_bytes())
            except (EOFError, OSError):
                break
            if name == "connect":  # in the main thread, because Ray sets handlers of signals
                answer(number, name, arguments)
            else:
                threads.submit(answer, number, name, arguments)
        ray.shutdown()  # the waiting requests then end with errors
        shutil.rmtree(folder, ignore_errors=True)  # also if the parent was killed
        os._exit(0)


def main(descriptor: int, folder: str) -> None:
    """The process, with a socket that its parent opened, and a folder for its files."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the socket
    serve(Connection(descriptor), folder)
