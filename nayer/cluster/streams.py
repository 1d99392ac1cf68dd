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

from nayer.cluster.places import Again, Began, Done, Job, Machine, Made, Told
from nayer.cluster.tasks import END, named, parts
from nayer.errors import NayerError

MOST_AGAIN = 10  # machines that one job may lose
WAIT_SECONDS = 1.0  # how long a look for news takes at most
RETURN_SECONDS = 30.0  # how long a cluster may be without a machine for any job


def machines() -> list[Machine]:
    """The machines of the cluster that live."""
    return [
        Machine(
            named(node["NodeManagerHostname"], node["NodeID"]),
            float(node["Resources"].get("CPU", 0.0)),
            float(node["Resources"].get("GPU", 0.0)),
        )
        for node in ray.nodes()
        if node["Alive"]
    ]


class Stream:
    """Jobs on the cluster, and their news."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._kept: dict[int, Any] = {number: job.kept for number, job in enumerate(jobs) if job.kept is not None}
        self._lost = [0] * len(jobs)
        self._live: dict[Any, int] = {}  # generator of object refs -> number of its job
        self._named: set[Any] = set()  # generators that have told their node
        self._news: deque[Told] = deque()
        self._news_at = time.monotonic()  # when something came last
        for number in range(len(jobs)):
            self._start(number)

    def news(self) -> Told | None:
        """The next news; None after the last ones. Raises the error of a job."""
        while not self._news and self._live:
            streams = list(self._live)
            ready, _ = ray.wait(streams, num_returns=1, timeout=WAIT_SECONDS, fetch_local=False)
            if not ready:
                self._check_machines()
                continue
            self._news_at = time.monotonic()
            # All that are ready, so that none waits for the others.
            ready, _ = ray.wait(streams, num_returns=len(streams), timeout=0, fetch_local=False)
            for stream in ready:
                self._take(stream)
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        """Ends the jobs."""
        for stream in self._live:
            with contextlib.suppress(Exception):
                ray.cancel(stream, force=True)
        self._live = {}

    def _check_machines(self) -> None:
        """Raises NayerError if nothing works, and no machine that is left could. A machine may come back before."""
        if time.monotonic() - self._news_at < RETURN_SECONDS:
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
        self._live[task.remote(job.work, self._kept.get(number), job.cpus)] = number

    def _take(self, stream: Any) -> None:
        number = self._live[stream]
        try:
            item = ray.get(next(stream))
        except RayTaskError as error:
            self._live.pop(stream)
            raise as_error(error) from None
        except (RayError, StopIteration) as error:  # without END, a stream that stops has lost its machine
            self._live.pop(stream)
            self._repeat(number, error)
            return
        if stream not in self._named:
            self._named.add(stream)
            self._news.append(Began(number, str(item)))
        elif isinstance(item, str) and item == END:
            self._live.pop(stream)
            self._kept.pop(number, None)
            self._news.append(Done(number))
        else:
            if item.kept is not None:
                self._kept[number] = item.kept
            self._news.append(Made(number, item))

    def _repeat(self, number: int, error: Exception) -> None:
        self._lost[number] += 1
        title = self._jobs[number].title
        if self._lost[number] > MOST_AGAIN:
            raise NayerError(f"{title} lost its machine {MOST_AGAIN} times; look at the memory of the machines.")
        where = "its latest checkpoint" if number in self._kept else "the beginning"
        self._news.append(Again(number, f"the machine is lost ({_name(error)}); the run continues from {where}."))
        self._start(number)


def as_error(error: RayTaskError) -> Exception:
    """The error of the work on another machine."""
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
