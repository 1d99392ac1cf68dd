"""Two nodes and a head on the loopback address of this machine, as processes of another process.

`python -m tests.support.ray_nodes '[[1, 0], [1, 0]]'`, with the processors and GPUs of each node, starts them. It
prints the address and the process of each, and ends them when its standard input closes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.repository import ROOT

STORE_BYTES = 100_000_000


@dataclass
class Nodes:
    """`head` and `nodes` are the processes whose deaths are the deaths of the nodes."""

    address: str
    head: list[int]
    nodes: list[list[int]]

    @staticmethod
    def kill(processes: list[int]) -> None:
        """Kills the processes of a node and all their children, at once."""
        for process in [*processes, *(child for one in processes for child in children(one))]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


@contextmanager
def two_nodes(folder: Path, has: Sequence[tuple[int, int]] = ((1, 0), (1, 0))) -> Iterator[Nodes]:
    """A head without processors, and nodes that say to have so many processors and GPUs.

    Their files are in `folder`, which has a short name. Ray only counts the GPUs, so none need be there.
    """
    alone = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_TMPDIR": str(folder)}
    alone["RAY_worker_niceness"] = "0"  # by default 15, with which a busy machine starves them
    (folder / "ray").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.ray_nodes", json.dumps(has)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, **alone},
        start_new_session=True,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = next((line for line in process.stdout if line.startswith("{")), "")
        assert line, "the nodes did not start"
        yield Nodes(**json.loads(line))
    finally:
        before = [process.pid, *children(process.pid)]
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for left in before:
            with suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)


def children(process: int) -> list[int]:
    """All descendants of a process."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found, waiting = [], [process]
    while waiting:
        mother = waiting.pop()
        mine = [child for child, parent in parents.items() if parent == mother]
        found += mine
        waiting += mine
    return found


def belongs(mark: str) -> list[int]:
    """The processes that have `mark` in their environment or command line, such as the folder of a cluster."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            told = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
            if mark.encode() in told and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found


def main() -> None:
    """Starts the nodes, and ends them when standard input closes."""
    from ray.cluster_utils import Cluster

    shared = {"object_store_memory": STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(head_node_args={"num_cpus": 0, **shared}, initialize_head=True)
    nodes = [
        cluster.add_node(num_cpus=cpus, num_gpus=gpus, object_store_memory=STORE_BYTES)
        for cpus, gpus in json.loads(sys.argv[1])
    ]

    def of(node: object) -> list[int]:
        return [one.process.pid for several in node.all_processes.values() for one in several]  # type: ignore[attr-defined]

    told = {"address": cluster.address, "head": of(cluster.head_node), "nodes": [of(node) for node in nodes]}
    print(json.dumps(told), flush=True)  # noqa: T201
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main()
