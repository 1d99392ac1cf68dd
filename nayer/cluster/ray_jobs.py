"""Jobs on the cluster, and the machines that it has. Only the process that speaks with Ray imports this module."""

from __future__ import annotations

import contextlib
import pickle
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from nayer.cluster.jobs import Job, JobDone, JobEvent, JobRestarted, JobStarted, Machine, PartMade
from nayer.cluster.tasks import END, node_name, parts
from nayer.errors import NayerError

MAX_RESTARTS = 10  # of one job
WAIT_SECONDS = 1.0  # the longest wait for an event
RETURN_SECONDS = 30.0  # the longest time without a machine for any job


def machines() -> list[Machine]:
    """The machines of the cluster that are alive."""
    return [
        Machine(
            node_name(node["NodeManagerHostname"], node["NodeID"]),
            float(node["Resources"].get("CPU", 0.0)),
            float(node["Resources"].get("GPU", 0.0)),
        )
        for node in ray.nodes()
        if node["Alive"]
    ]


class RayJobs:
    """Jobs that run on the cluster, and their events."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._states: dict[int, Any] = {number: job.state for number, job in enumerate(jobs) if job.state is not None}
        self._lost = [0] * len(jobs)
        self._live: dict[Any, int] = {}  # generator of object refs -> number of its job
        self._named: set[Any] = set()  # generators that have sent the name of their node
        self._events: deque[JobEvent] = deque()
        self._event_at = time.monotonic()  # the time of the latest event
        for number in range(len(jobs)):
            self._start(number)

    def next_event(self) -> JobEvent | None:
        """The next event; None after the last one. Raises the error of a job."""
        while not self._events and self._live:
            streams = list(self._live)
            ready, _ = ray.wait(streams, num_returns=1, timeout=WAIT_SECONDS, fetch_local=False)
            if not ready:
                self._check_machines()
                continue
            self._event_at = time.monotonic()
            # Takes all that are ready, so that no job waits for the others.
            ready, _ = ray.wait(streams, num_returns=len(streams), timeout=0, fetch_local=False)
            for stream in ready:
                self._take(stream)
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        """Ends the jobs."""
        for stream in self._live:
            with contextlib.suppress(Exception):
                ray.cancel(stream, force=True)
        self._live = {}

    def _check_machines(self) -> None:
        """Raises NayerError if the cluster has had no machine for any job for some time."""
        if time.monotonic() - self._event_at < RETURN_SECONDS:
            return
        left, jobs = machines(), [self._jobs[number] for number in self._live.values()]
        if not any(one.fits(job.cpus, job.gpus) for one in left for job in jobs):
            gpu = " and a GPU" if jobs[0].gpus else ""
            raise NayerError(
                f"{jobs[0].title} needs a machine with processors for threads={jobs[0].cpus}{gpu}, and no machine of "
                "the cluster that has them is left. Finished runs are kept, and the same command continues with the "
                "others."
            )

    def _start(self, number: int) -> None:
        job = self._jobs[number]
        task = parts.options(name=job.title, num_cpus=job.cpus, num_gpus=job.gpus)
        self._live[task.remote(job.work, self._states.get(number), job.cpus)] = number

    def _take(self, stream: Any) -> None:
        number = self._live[stream]
        try:
            item = ray.get(next(stream))
        except RayTaskError as error:
            self._live.pop(stream)
            raise as_error(error) from None
        except (RayError, StopIteration) as error:  # a stream that stops without END has lost its machine
            self._live.pop(stream)
            self._restart(number, error)
            return
        if stream not in self._named:
            self._named.add(stream)
            self._events.append(JobStarted(number, str(item)))
        elif isinstance(item, str) and item == END:
            self._live.pop(stream)
            self._states.pop(number, None)
            self._events.append(JobDone(number))
        else:
            if item.state is not None:
                self._states[number] = item.state
            self._events.append(PartMade(number, item))

    def _restart(self, number: int, error: Exception) -> None:
        self._lost[number] += 1
        title = self._jobs[number].title
        if self._lost[number] > MAX_RESTARTS:
            raise NayerError(f"{title} lost its machine {MAX_RESTARTS} times; look at the memory of the machines.")
        where = "its latest checkpoint" if number in self._states else "the beginning"
        self._events.append(
            JobRestarted(number, f"the machine is lost ({_name(error)}); the run continues from {where}.")
        )
        self._start(number)


def as_error(error: RayTaskError) -> Exception:
    """The error that a job raised on another machine."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, ModuleNotFoundError):
        return NayerError(f"A machine of the cluster has no module {cause.name}; install the same version there.")
    if isinstance(cause, Exception):
        try:
            pickle.loads(pickle.dumps(cause))
        except Exception:
            return RuntimeError(str(cause))
        return cause
    return RuntimeError(str(error))


def _name(error: Exception) -> str:
    return "the stream has ended" if isinstance(error, StopIteration) else type(error).__name__
