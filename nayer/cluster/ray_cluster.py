"""A Ray cluster that runs jobs and labs. A separate process is connected to Ray; see `driver`."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import nayer
from nayer.cluster.jobs import Job, JobEvent, Machine
from nayer.common.extras import needs_package
from nayer.errors import ConfigError, NayerError, excerpt

STORE_BYTES = 150_000_000  # of shared memory, for parts in transit and the newest checkpoints
CONNECT_SECONDS = 60.0
ANSWER_SECONDS = 5.0
CLOSE_SECONDS = 15.0
# The driver and the processes that it starts. With the last one, Ray stays on the loopback address of one machine.
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "20",
    "RAY_DEDUP_LOGS": "0",
}
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


class ClusterLost(NayerError):
    """The cluster, or the connection with it, has ended."""


def checked_address(field: str, text: str) -> str:
    """The address of a cluster in the form HOST:PORT; empty for `ray`, which starts one. Raises ConfigError."""
    address = text.strip().removeprefix("ray://").rstrip("/")
    if text.strip() == "ray":
        return ""
    host, _, port = address.rpartition(":")
    numbered = port.isdecimal() and len(port) <= len("65535") and 0 < int(port) < 65536
    if not host or not numbered or any(mark in host for mark in "/ @"):
        raise ConfigError(
            f"{field} must be ray, or the address of a cluster such as ray://head:6379; {excerpt(text)!r} was given."
        )
    _check_installed(field, text)
    return address


class RayCluster:
    """A cluster that is connected, or started on this machine for as long as this object is open."""

    def __init__(self, address: str = "", *, cpus: int = 0, dashboard: bool = False, field: str = "on") -> None:
        """`address`: HOST:PORT of the head, or empty to start a cluster. `cpus`: its processors; 0 means all here.

        Raises ConfigError, in one sentence, if there is no such cluster.
        """
        _check_installed(field, address or "ray")
        if dashboard and find_spec("aiohttp_cors") is None:
            raise ConfigError("dashboard needs more packages of Ray; run pip install 'ray[default]'.")
        self._address, self._field = address, field
        if address:
            _check_answers(address, field)
        self._waiting: dict[int, Future[Any]] = {}
        self._number = 0
        self._lock = threading.Lock()
        self._lost = False
        self._folder = Path(tempfile.mkdtemp(prefix="nayer-ray-", dir="/tmp" if os.name == "posix" else None))
        ours, theirs = socket.socketpair()
        self._process = self._started(theirs)
        theirs.close()
        self._socket = ours
        self._connection = Connection(os.dup(ours.fileno()))
        self._listener = threading.Thread(target=self._listen, name="nayer-ray", daemon=True)
        self._listener.start()
        try:
            self.machines = self._connected(cpus, dashboard)
        except BaseException:
            self.close()
            raise

    @property
    def cpus(self) -> float:
        """The number of processors of all machines."""
        return sum(one.cpus for one in self.machines)

    def gpus_for(self, device: str, cpus: int) -> float:
        """1 for `cuda`, and for `auto` if a machine has a GPU and this many processors."""
        if device == "auto":
            return float(any(one.fits(cpus, 1.0) for one in self.machines))
        return float(device == "cuda")

    def check(self, cpus: int, gpus: float) -> None:
        """Raises ConfigError if no machine has this many processors and GPUs."""
        if any(one.fits(cpus, gpus) for one in self.machines):
            return
        with_gpu = [int(one.cpus) for one in self.machines if one.fits(0, gpus)]
        if not with_gpu:
            raise ConfigError(
                "device='cuda' needs a machine with a GPU, and no machine of this cluster has one; use auto or cpu."
            )
        where = " and a GPU; the largest with a GPU" if gpus else "; the largest"
        raise ConfigError(f"threads={cpus} needs a machine with {cpus} processors{where} has {max(with_gpu)}.")

    # --- jobs ------------------------------------------------------------------------------------------------------

    def run(self, jobs: Sequence[Job]) -> Iterator[JobEvent]:
        """The events of all jobs. The jobs may be a few parts ahead of the reader."""
        if not jobs:
            return
        for cpus, gpus in {(job.cpus, job.gpus) for job in jobs}:
            self.check(cpus, gpus)
        number = self.request("run", list(jobs))
        try:
            while (event := self.request("next_job_event", number)) is not None:
                yield event
        finally:
            with contextlib.suppress(ClusterLost, OSError):
                self.request("end", number)

    # --- the process -----------------------------------------------------------------------------------------------

    def request(self, name: str, *arguments: Any) -> Any:
        """The answer of the driver's method. Raises its errors, and ClusterLost."""
        return self.request_async(name, *arguments).result()

    def request_async(self, name: str, *arguments: Any) -> Future[Any]:
        """The same, without waiting."""
        future: Future[Any] = Future()
        content = (name, arguments)
        with self._lock:
            self._number += 1
            if self._lost:
                future.set_exception(self._loss())
                return future
            self._waiting[self._number] = future
            try:
                self._connection.send_bytes(pickle.dumps((self._number, *content)))
            except OSError:
                self._waiting.pop(self._number)
                future.set_exception(self._loss())
        return future

    def close(self) -> None:
        """Ends all runs here, the process, and the cluster if it was started here."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes both sides; `close` would not
        try:
            self._process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._listener.join()
            self._connection.close()
            self._socket.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _started(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        is_local = not self._address or _is_loopback(self._address)
        root = str(Path(nayer.__file__).resolve().parent.parent)
        path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
        with (self._folder / "driver.log").open("wb") as log:
            return subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    f"from nayer.cluster.driver import main; main({theirs.fileno()}, {str(self._folder)!r})",
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    **_ENVIRONMENT,
                    **(_LOOPBACK if is_local else {}),
                    "PYTHONPATH": path,
                },
                start_new_session=True,  # Ctrl-C in a terminal reaches every process of its group
            )

    def _connected(self, cpus: int, dashboard: bool) -> list[Machine]:
        options: dict[str, Any] = {"address": self._address}
        if not self._address:
            options = {
                "address": "local",
                "include_dashboard": dashboard,
                "object_store_memory": STORE_BYTES,
                "_temp_dir": str(self._folder),
                **({"num_cpus": cpus} if cpus else {}),
            }
        try:
            found: list[Machine] = self.request_async("connect", options).result(CONNECT_SECONDS)
            return found
        except Exception as error:
            if isinstance(error, ConfigError):
                raise
            where = f"{self._field}={self._address!r}" if self._address else "a cluster on this machine"
            reason = _reason(error, self._folder)
            raise ConfigError(
                f"{where} cannot be used ({reason}); without {self._field}, runs work in this process."
            ) from None

    def _listen(self) -> None:
        """Gives each answer to the request that waits for it, until the process ends."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                number, is_result, value = pickle.loads(self._connection.recv_bytes())
                future = self._waiting.pop(number)
                if is_result:
                    future.set_result(value)
                else:
                    future.set_exception(value)
        with self._lock:
            self._lost = True
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(self._loss())

    def _loss(self) -> ClusterLost:
        return ClusterLost(
            "The cluster is lost: its head, or the connection with it, has ended. Finished runs are kept, and the same "
            "command continues with the others."
        )


def _check_installed(field: str, text: str) -> None:
    """Raises ConfigError if Ray is not installed."""
    if missing := needs_package(f"{field}={excerpt(text)!r}", "ray"):
        raise ConfigError(missing)


def _check_answers(address: str, field: str) -> None:
    """Raises ConfigError, sooner than Ray, if nothing listens at the address."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except OSError as error:
        reason = error.strerror or "no answer"
        raise ConfigError(
            f"{field}={address!r} has no cluster ({reason}); use the address that `ray start --head` printed, or ray."
        ) from None


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(error: Exception, folder: Path) -> str:
    """The first line of an error; for a process that ended, the last line of its log."""
    if isinstance(error, ClusterLost):
        lines = (folder / "driver.log").read_text("utf-8", "replace").strip().splitlines()
        return excerpt(lines[-1] if lines else "its process ended", 200)
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_SECONDS:.0f} s"
    return excerpt((str(error).strip().splitlines() or [type(error).__name__])[0], 200).rstrip(".")
