"""Jobs, their events, and the executor that runs them one after the other in this process.

An executor yields the events of all jobs in the order in which they happen. Another executor is a Ray cluster, in
`ray_cluster`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the result of a job.

    `state` is what the job continues from after this part, if it is restarted on another machine. Without it, the
    restarted job continues from the latest earlier state.
    """

    content: Any
    state: Any = None


Work = Callable[[Any], Iterator[Part]]


@dataclass(frozen=True, slots=True)
class Job:
    """Work for one process of a machine. A cluster sends it by pickle.

    `work` makes the parts of the result: all of them for None, or those after the part with that state. The job
    starts from `state`.
    """

    title: str
    work: Work
    cpus: int = 1
    gpus: float = 0.0
    state: Any = None


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of a cluster, and all its processors and GPUs."""

    name: str
    cpus: float
    gpus: float

    def fits(self, cpus: float, gpus: float) -> bool:
        """Whether a job that needs these can ever run here."""
        return self.cpus >= cpus and self.gpus >= gpus


@dataclass(frozen=True, slots=True)
class JobEvent:
    """An event of the job with this number in the list."""

    number: int


@dataclass(frozen=True, slots=True)
class JobStarted(JobEvent):
    """The job has started. `node` names the machine; it is empty for this process."""

    node: str = ""


@dataclass(frozen=True, slots=True)
class PartMade(JobEvent):
    """The job has made the next part of its result."""

    part: Part


@dataclass(frozen=True, slots=True)
class JobRestarted(JobEvent):
    """The machine is lost. The job continues after its latest part with a state; all parts after that are void."""

    reason: str


@dataclass(frozen=True, slots=True)
class JobDone(JobEvent):
    """The job has made its last part."""


class Executor(Protocol):
    """Runs jobs."""

    def gpus_for(self, device: str, cpus: int) -> float:
        """The number of GPUs that a job with this device and this many processors must request."""

    def run(self, jobs: Sequence[Job]) -> Iterator[JobEvent]:
        """The events of all jobs, until each is done. To pause, do not call `next`. To stop, call `close`.

        Raises the error of a job, and NayerError if the executor itself fails.
        """

    def close(self) -> None:
        """Ends all jobs and removes all files of the executor."""


class LocalExecutor:
    """Runs one job after the other in this process."""

    def gpus_for(self, device: str, cpus: int) -> float:
        """0: a job needs no request, because it is the only one that runs."""
        return 0.0

    def run(self, jobs: Sequence[Job]) -> Iterator[JobEvent]:
        """The events of one job after the other."""
        for number, job in enumerate(jobs):
            yield JobStarted(number)
            for part in job.work(job.state):
                yield PartMade(number, part)
            yield JobDone(number)

    def close(self) -> None:
        """There is nothing to end."""


class LabLost(Exception):
    """The machine of a lab is lost."""
