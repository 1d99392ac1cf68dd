"""Jobs, and the place where they run one after the other in this process.

A place tells what its jobs make, in the order in which it comes. Another place is a Ray cluster, in `ray_cluster`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the result of a job.

    `kept` is what the job's work continues from after this part, if it is repeated on another machine. Without it, a
    repetition continues from the latest earlier one.
    """

    content: Any
    kept: Any = None


Work = Callable[[Any], Iterator[Part]]


@dataclass(frozen=True, slots=True)
class Job:
    """Work for one process of a machine. A cluster sends it by pickle.

    `work` makes the parts of the result, from the beginning for None, or after the part with that `kept`. The first
    place that works on it begins with `kept`.
    """

    title: str
    work: Work
    cpus: int = 1
    gpus: float = 0.0
    kept: Any = None


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of a cluster, and all that it has."""

    name: str
    cpus: float
    gpus: float

    def fits(self, cpus: float, gpus: float) -> bool:
        """Whether a job with this demand can ever run here."""
        return self.cpus >= cpus and self.gpus >= gpus


@dataclass(frozen=True, slots=True)
class Told:
    """News of the job of that number in the list."""

    number: int


@dataclass(frozen=True, slots=True)
class Began(Told):
    """The job works. `node` names the machine; it is empty for this process."""

    node: str = ""


@dataclass(frozen=True, slots=True)
class Made(Told):
    """The job has made the next part of its result."""

    part: Part


@dataclass(frozen=True, slots=True)
class Again(Told):
    """The machine is lost. The job will continue after its latest part with `kept`; all parts after that are void."""

    reason: str


@dataclass(frozen=True, slots=True)
class Done(Told):
    """The job has made its last part."""


class Place(Protocol):
    """Runs jobs."""

    def gpus_for(self, device: str, cpus: int) -> float:
        """The GPUs that a job with this device and so many processors must ask for."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Told]:
        """The news of all jobs, until each is done. To pause, do not call `next`. To stop, call `close`.

        Raises the error of a job, and NayerError if the place itself fails.
        """

    def close(self) -> None:
        """Ends everything that runs here, and leaves nothing behind."""


class Here:
    """This process: one job after the other."""

    def gpus_for(self, device: str, cpus: int) -> float:
        """Jobs need not ask: the only one at work takes what it finds."""
        return 0.0

    def run(self, jobs: Sequence[Job]) -> Iterator[Told]:
        """The news of one job after the other."""
        for number, job in enumerate(jobs):
            yield Began(number)
            for part in job.work(job.kept):
                yield Made(number, part)
            yield Done(number)

    def close(self) -> None:
        """Nothing is left to end."""


class LabLost(Exception):
    """The machine of a lab is lost."""
