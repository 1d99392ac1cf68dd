"""A burst on a ZeroGPU Space: the next rounds of a run, on a GPU that the Space gives its visitor for a short time.

Such a Space has a GPU only in functions that `spaces.GPU` wraps, so the run itself stays on the processor
(`nayer.networks.execution`). https://huggingface.co/docs/hub/spaces-zerogpu
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import copy_context
from typing import TYPE_CHECKING

from nayer.teachers.upload import UploadedTeacher

if TYPE_CHECKING:  # the core imports torch
    from nayer.events import Event
    from nayer.runs.remote_rounds import Rounds

LENT_SECONDS = 60  # requested from the Space; unused time is not counted
WORK_SECONDS = 45.0  # time for rounds: the start of the GPU counts too

GpuLoan = Callable[[bytes, "UploadedTeacher | None"], "Iterator[tuple[list[Event], bytes]]"]


def rounds(checkpoint: bytes, uploaded: UploadedTeacher | None) -> Iterator[tuple[list[Event], bytes]]:
    """`nayer.runs.remote_rounds.rounds` in the process that has the GPU."""
    from nayer.runs import remote_rounds

    yield from remote_rounds.rounds(checkpoint, uploaded, WORK_SECONDS)


def zero_gpu_loan(variables: Mapping[str, str]) -> GpuLoan | None:
    """`rounds` wrapped for a ZeroGPU Space; None elsewhere. Call it before torch loads: `spaces` patches torch."""
    if not variables.get("SPACES_ZERO_GPU"):
        return None
    gpu_loan: GpuLoan = importlib.import_module("spaces").GPU(duration=LENT_SECONDS)(rounds)
    # Gradio's launch() reports the GPU functions to the Space; a mounted page must report them itself.
    if report := getattr(importlib.import_module("spaces.zero"), "startup", None):
        report()
    return gpu_loan


def for_visitor(gpu_loan: GpuLoan, uploaded: UploadedTeacher | None) -> Rounds:
    """Makes rounds in the context of this request, because the Space gives the GPU to this visitor."""
    context = copy_context()

    def made(checkpoint: bytes) -> Iterator[tuple[list[Event], bytes]]:
        items = context.run(gpu_loan, checkpoint, uploaded)
        while (item := context.run(next, items, None)) is not None:
            yield item

    return made
