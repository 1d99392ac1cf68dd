"""What runs on the machines of a cluster: a job as a stream of its parts, and a lab that answers calls.

Only a process that Ray has started, or its driver, imports this module.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import ray

from nayer.cluster.jobs import Part, Work
from nayer.config import Config
from nayer.events import Event
from nayer.runs.side_by_side import Lab
from nayer.teachers.upload import UploadedTeacher

AHEAD = 4  # parts that a job may make before the reader takes one
END = "end"  # the last item of a complete job
WORK, CONCURRENT = (
    "work",
    "concurrent",
)  # the threads of a lab: one makes the events, the others answer at the same time


def node() -> str:
    """The name of this machine, and of its node, as two nodes may share a machine."""
    return node_name(socket.gethostname(), ray.get_runtime_context().get_node_id())


def node_name(host: str, node_id: str) -> str:
    """The name of a node, for a reader."""
    return f"{host}/{node_id[:4]}"


# Ray repeats nothing by itself: a repetition continues from the latest saved state, which only the driver has.
@ray.remote(num_returns="streaming", max_retries=0, _generator_backpressure_num_objects=AHEAD)
def parts(work: Work, state: Any, cpus: int) -> Iterator[str | Part]:
    """The node's name, the parts of a job, and END."""
    yield node()
    import torch

    torch.set_num_threads(cpus)
    yield from work(state)
    yield END


@ray.remote(max_restarts=0, max_task_retries=0, concurrency_groups={WORK: 1, CONCURRENT: 4})
class LabActor:
    """A `Lab` on a machine of the cluster. It makes an event only when it is asked for one."""

    def __init__(
        self, configs: Sequence[Config], seeds: Sequence[int], checkpoint: bytes, uploaded: UploadedTeacher | None
    ) -> None:
        self._lab = Lab(configs, seeds, checkpoint, uploaded)
        self._events = self._lab.events()

    @ray.method(concurrency_group=WORK)
    def node(self) -> str:
        """The name of the machine."""
        import torch

        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        return node()

    @ray.method(concurrency_group=WORK)
    def next(self) -> Event | None:
        """The next event; None after the last one."""
        return next(self._events, None)

    @ray.method(concurrency_group=WORK)
    def call(self, name: str, *arguments: Any) -> Any:
        """A method of the lab, between two events."""
        return getattr(self._lab, name)(*arguments)

    @ray.method(concurrency_group=CONCURRENT)
    def process(self) -> int:
        """The number of this process."""
        return os.getpid()

    @ray.method(concurrency_group=CONCURRENT)
    def call_concurrently(self, name: str, *arguments: Any) -> Any:
        """A method of the lab that any thread may call at any time."""
        return getattr(self._lab, name)(*arguments)
