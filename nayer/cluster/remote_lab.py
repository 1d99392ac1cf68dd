"""A run of the page on a machine of a cluster. Its session controls it in the same way as a local run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from nayer.cluster.jobs import LabLost
from nayer.cluster.ray_cluster import ClusterLost, RayCluster
from nayer.common.stopwatch import Stopped
from nayer.config import Config
from nayer.errors import ConfigError, NayerError
from nayer.events import Event, Note, RoundFinished, StudentKept
from nayer.runs.requests import not_in_memory
from nayer.teachers.upload import UploadedTeacher
from nayer.types import Images

if TYPE_CHECKING:  # these modules import torch
    from nayer.distillation.redraw_preview import Redraws
    from nayer.runs.opinions import Examined, RealImage
    from nayer.runs.remote_rounds import Rounds
    from nayer.runs.side_by_side import Lab

KEEP_SECONDS = 5.0  # between two checkpoints
CHECK_SECONDS = 1.0  # a run that waits for a machine checks this often whether it is stopped
MAX_RESTARTS = 5  # of one run


class RemoteLab:
    """The same events and answers as a `Lab` gives. During a pause no event is requested, so no work is done.

    A single run that loses its machine continues on another one from its latest checkpoint, without the events that it
    has already given. When it has ended, its networks are copied to this process, and its machine is free.
    """

    def __init__(
        self,
        cluster: RayCluster,
        configs: Sequence[Config],
        seeds: Sequence[int] = (),
        checkpoint: bytes = b"",
        uploaded: UploadedTeacher | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The other arguments are those of `Lab`. The first event waits until a machine is free."""
        self._cluster, self._clock = cluster, clock
        self._configs, self._seeds, self._uploaded = tuple(configs), tuple(seeds), uploaded
        self._checkpoint, self._has_newer_checkpoint = checkpoint, False
        self._checkpoint_at = clock()
        self._since = 0  # events given after the latest checkpoint
        self._changes: list[tuple[int, Mapping[str, object]]] = []  # after the latest checkpoint
        self._stopped = False
        self._restarts = 0
        self._last: Event | None = None
        self._is_remote = True
        self._by_round: list[StudentKept] = []  # after the end
        self._local_lab: Lab | None = None  # after the end of a single run
        self._students: dict[int, bytes] = {}  # after the end of arms side by side
        self._lab: int | None = None  # its number; None before the first event
        self.node = ""

    def events(self) -> Iterator[Event]:
        """The run's events, from its present state on."""
        source = self._remote_events()
        try:
            self._open()
            while True:
                try:
                    event = next(source, None)
                except LabLost:
                    yield self._restart()
                    source = self._continued()
                    continue
                if event is None:
                    return
                self._last = event
                if isinstance(event, RoundFinished) and self._clock() - self._checkpoint_at >= KEEP_SECONDS:
                    self._save()
                self._since += 1
                yield event
        except ClusterLost:
            raise NayerError("The cluster is lost; start the page again, then the run.") from None
        finally:
            self._fetch_networks()

    def stop(self) -> None:
        """Makes `events` raise Stopped at the end of the current step. Any thread may call it."""
        self._stopped = True
        if self._lab is not None:
            self._cluster.request_async("call_concurrently", self._lab, "stop")

    def change(self, arm: int, values: Mapping[str, object]) -> Config:
        """`Lab.change`."""
        changed: Config = self._call("change", arm, dict(values))
        self._changes.append((arm, dict(values)))
        return changed

    def redraws(self, arm: int, label: int, count: int) -> Redraws:
        """`Lab.redraws`."""
        drawn: Redraws = self._call("redraws", arm, label, count)
        return drawn

    def examine(self, arm: int) -> Examined:
        """`Lab.examine`."""
        networks: Examined = self._call("examine", arm)
        return networks

    def examined(self, arm: int) -> Examined | None:
        """`Lab.examined`."""
        if self._local_lab is not None or self._lab is None:
            return None if self._local_lab is None else self._local_lab.examined(arm)
        try:
            networks: Examined | None = self._cluster.request("call_concurrently", self._lab, "examined", arm)
        except (LabLost, ClusterLost):
            return None
        return networks

    def real_image(self, arm: int, label: int, pick: int) -> RealImage:
        """`Lab.real_image`."""
        image: RealImage = self._call("real_image", arm, label, pick)
        return image

    def answered_images(self, arm: int) -> Images:
        """`Lab.answered_images`."""
        images: Images = self._call("answered_images", arm)
        return images

    def burst(self, rounds: Rounds) -> None:
        """Raises ConfigError: a run on a cluster cannot be sent to another GPU."""
        raise ConfigError("a GPU burst works only for a run on this machine; this run is on a cluster.")

    def checkpoint(self) -> bytes:
        """`Lab.checkpoint`."""
        content: bytes = self._call("checkpoint")
        return content

    def student(self, arm: int) -> bytes:
        """`Lab.student`."""
        if arm in self._students:
            return self._students[arm]
        weights: bytes = self._call("student", arm)
        return weights

    def kept_students(self) -> list[StudentKept]:
        """`Lab.kept_students`; without those that a lost machine had."""
        if not self._is_remote or self._lab is None:
            return self._by_round
        try:
            students: list[StudentKept] = self._cluster.request("call_concurrently", self._lab, "kept_students")
        except (LabLost, ClusterLost):
            return []
        return students

    # --- the machine -----------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Waits for a machine. Raises Stopped, and NayerError."""
        gpus = max(self._cluster.gpus_for(config.device, 1) for config in self._configs)
        self._cluster.check(1, gpus)
        arguments = (self._configs, self._seeds, self._checkpoint, self._uploaded)
        opening = self._cluster.request_async("open_lab", 1, gpus, *arguments)
        while True:
            try:
                self._lab, self.node = opening.result(CHECK_SECONDS)
                return
            except TimeoutError:
                if self._stopped:
                    opening.add_done_callback(self._close_late)
                    raise Stopped from None
            except LabLost:
                raise NayerError("Every machine that started this run was lost; try again in a few minutes.") from None

    def _close_late(self, opening: Future[Any]) -> None:
        """Frees the machine that a run gets although it was stopped."""
        if not opening.cancelled() and opening.exception() is None:
            self._cluster.request_async("close_lab", opening.result()[0])

    def _remote_events(self) -> Iterator[Event]:
        while (event := self._cluster.request("next_event", self._lab)) is not None:
            yield event

    def _call(self, name: str, *arguments: Any) -> Any:
        if self._local_lab is not None:
            return getattr(self._local_lab, name)(*arguments)
        if self._lab is None:
            raise ConfigError("this run has not started; try again after its first images.")
        try:
            return self._cluster.request("call", self._lab, name, *arguments)
        except (LabLost, ClusterLost):
            raise not_in_memory() from None

    def _save(self) -> None:
        """Fetches a checkpoint of a single run; arms side by side have none."""
        try:
            content = self._cluster.request("call", self._lab, "checkpoint")
        except LabLost:
            return  # the next event says so
        if content:
            self._checkpoint, self._has_newer_checkpoint, self._changes = content, True, []
            self._since = -1  # the present event is given after the checkpoint
        self._checkpoint_at = self._clock()

    def _restart(self) -> Note:
        """Opens the run on another machine. Raises NayerError if it cannot continue."""
        if self._stopped:
            raise Stopped
        self._restarts += 1
        if len(self._configs) > 1 or self._seeds or self._restarts > MAX_RESTARTS:
            raise NayerError("The machine of this run is lost; start the run again.")
        with suppress(LabLost):
            self._cluster.request("close_lab", self._lab)  # the lab may be alive while the connection is lost
        self._open()
        message = "The machine of this run is lost. The run continues on another machine of the cluster."
        here = self._last
        return Note(round=here.round if here else 0, seconds=here.seconds if here else 0.0, message=message)

    def _continued(self) -> Iterator[Event]:
        """The events after those that were given."""
        from nayer.runs.remote_rounds import without_start  # it imports torch

        events_left = self._remote_events()
        first = next(events_left)  # the run is open now and can be changed
        for arm, values in self._changes:
            self._cluster.request("call", self._lab, "change", arm, values)
        events: Iterator[Event] = chain([first], events_left)
        if self._has_newer_checkpoint:  # the events of a start were given before the checkpoint
            events = without_start(events)
        yield from islice(events, self._since, None)

    def _fetch_networks(self) -> None:
        """Copies the networks to this process for later requests, and frees the machine."""
        if self._lab is None:
            return
        with suppress(NayerError, LabLost):
            self._by_round = self._cluster.request("call_concurrently", self._lab, "kept_students")
            if content := self._cluster.request("call", self._lab, "checkpoint"):
                from nayer.runs.side_by_side import Lab

                local_lab = Lab(self._configs, (), content, self._uploaded)
                next(local_lab.events())  # opens the run
                self._local_lab = local_lab
            else:
                for arm in range(len(self._configs)):
                    with suppress(ConfigError):  # an arm that never began has no student
                        self._students[arm] = self._cluster.request("call", self._lab, "student", arm)
        self._is_remote = False
        with suppress(NayerError, LabLost):
            self._cluster.request("close_lab", self._lab)
