"""A burst on a ZeroGPU Space: the next rounds of a run on a GPU that the Space lends its visitor for a moment.

There a GPU is there in functions that `spaces.GPU` has wrapped and nowhere else, so the run itself stays on the
processor (`nayer.common.device`). https://huggingface.co/docs/hub/spaces-zerogpu
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import copy_context
from typing import TYPE_CHECKING

from nayer.teachers.upload import UploadedTeacher

if TYPE_CHECKING:  # the core brings torch with it
    from nayer.events import Event
    from nayer.runs.remote_rounds import Rounds

LENT_SECONDS = 60  # asked of the Space; what is not used is not counted
WORK_SECONDS = 45.0  # of rounds, for the GPU's own start counts too

GpuLoan = Callable[[bytes, "UploadedTeacher | None"], "Iterator[tuple[list[Event], bytes]]"]


def rounds(checkpoint: bytes, uploaded: UploadedTeacher | None) -> Iterator[tuple[list[Event], bytes]]:
    """`nayer.runs.remote_rounds.rounds` in the process that has the GPU."""
    from nayer.runs import remote_rounds

    yield from remote_rounds.rounds(checkpoint, uploaded, WORK_SECONDS)


def zero_gpu_loan(variables: Mapping[str, str]) -> GpuLoan | None:
    """What a ZeroGPU Space makes of `rounds`; None elsewhere. Call it before torch is loaded: `spaces` patches that."""
    if not variables.get("SPACES_ZERO_GPU"):
        return None
    gpu_loan: GpuLoan = importlib.import_module("spaces").GPU(duration=LENT_SECONDS)(rounds)
    # Gradio's launch() would report to the Space what it has to lend for; a mounted page does it by itself.
    if report := getattr(importlib.import_module("spaces.zero"), "startup", None):
        report()
    return gpu_loan


def for_visitor(gpu_loan: GpuLoan, uploaded: UploadedTeacher | None) -> Rounds:
    """Rounds that are made in the context of this request, for it is this visitor to whom the GPU is lent."""
    context = copy_context()

    def made(checkpoint: bytes) -> Iterator[tuple[list[Event], bytes]]:
        items = context.run(gpu_loan, checkpoint, uploaded)
        while (item := context.run(next, items, None)) is not None:
            yield item

    return made
