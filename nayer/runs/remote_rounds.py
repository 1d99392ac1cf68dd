"""Makes some rounds of a run on another device, such as a borrowed GPU, from one checkpoint to the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import dropwhile

import torch

from nayer.config import Config
from nayer.events import Event, ImagesTested, Note, RoundFinished, RunFinished, RunStarted
from nayer.runs import checkpoints
from nayer.runs.run import open_run
from nayer.teachers.upload import UploadedTeacher
from nayer.teachers.upload_loading import opened

# The rounds after a checkpoint, one by one: the events of a round, and the checkpoint at its end.
Rounds = Callable[[bytes], Iterable[tuple[list[Event], bytes]]]


def rounds(checkpoint: bytes, uploaded: UploadedTeacher | None, seconds: float) -> Iterator[tuple[list[Event], bytes]]:
    """The rounds after `checkpoint`, while another round fits into `seconds`. They run on a GPU if there is one.

    At least one is made, where the run has any left. The checkpoints keep the run's own device. `uploaded`: the
    teacher, where it came as files.
    """
    began = time.monotonic()
    has_gpu = torch.cuda.is_available()
    if has_gpu:
        torch.set_num_threads(1)  # a borrowed GPU serves a forked process, which waits forever for its parent's threads
    home = checkpoints.config_of(checkpoint)
    teacher, testset = opened(uploaded) if uploaded is not None else (None, None)
    run = open_run(Config.parse({"device": "cuda" if has_gpu else "cpu"}, home), teacher=teacher, testset=testset)
    checkpoints.restore(checkpoint, run.state)
    made: list[Event] = []
    before, longest = time.monotonic(), 0.0
    for event in without_start(run.events()):
        if isinstance(event, RunFinished):
            return  # the caller continues from the last checkpoint and reports the end
        made.append(event)
        if isinstance(event, RoundFinished):
            yield made, checkpoints.dump(home, run.state)
            now = time.monotonic()
            before, longest, made = now, max(longest, now - before), []
            if now + longest - began > seconds:
                return


def without_start(events: Iterator[Event]) -> Iterator[Event]:
    """A run's events without its first ones, which announce its beginning."""
    return dropwhile(lambda event: isinstance(event, (RunStarted, Note, ImagesTested)), events)
