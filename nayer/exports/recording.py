"""A run as one small file for playback: its events in order, reduced to the data that a later viewer needs.

The format: a first line with its name, then each event as its length (uint32, little-endian) and its bytes, which
`event_codec` writes. The students by round are events too, `StudentKept`, in any place. A file without them is valid:
its student cannot be asked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from nayer.common.files import read_file, write_whole
from nayer.common.thinning import thin_out
from nayer.errors import StorageError, excerpt
from nayer.events import (
    Event,
    GeneratorStep,
    LayerRedrawn,
    RoundSynthesized,
    RunStarted,
    StudentAnswered,
    StudentKept,
    StudentStep,
)
from nayer.exports.event_codec import pack, unpack
from nayer.types import Floats

MAGIC = b"NAYER recording 1\n"
LARGEST = 16 << 20  # bytes of the largest file that is read
LONGEST = 50_000  # events in a file, at most
ANSWERS = 60  # evaluations whose answers are kept, spread over the rounds: 1 kB each
MOST_ROUNDS = 100_000  # of a run
MOST_STUDENTS = 64  # in a file, by round
STUDENTS_BYTES = 1 << 20  # of their weights, all together, at one byte a weight
STEPS = 5  # about this many steps of each phase are kept
_BY_IMAGE = (
    *("images", "labels", "features", "teacher_labels", "teacher_confidence"),
    *("student_labels", "student_confidence"),
)


class RecordingBuilder:
    """Collects a run's events: one image per class, a few steps of every phase, the images of one step per round."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._answers = 0  # of the student, in `events`
        self._preview_round = -1  # the round whose first step is kept with its images

    def add(self, event: Event) -> None:
        """Keeps the next event, reduced by `thinned`."""
        if isinstance(event, (GeneratorStep, StudentStep)) and not _is_kept(event):
            return
        short = thinned(event)
        if isinstance(event, GeneratorStep) and event.round != self._preview_round:
            self._preview_round = event.round
            short = event
        self.events.append(short)
        if isinstance(event, StudentAnswered):
            self._answers += 1
            if self._answers > ANSWERS:
                self._leave_out_answers()

    def _leave_out_answers(self) -> None:
        answers = [event for event in self.events if isinstance(event, StudentAnswered)]
        kept = {id(event) for event in thin_out(answers, ANSWERS)}
        self.events = [one for one in self.events if not isinstance(one, StudentAnswered) or id(one) in kept]
        self._answers = len(kept)


def thinned(event: Event) -> Event:
    """The event with only the images and tables that a later viewer of the run needs."""
    match event:
        case GeneratorStep():
            return replace(event, preview=event.preview[:0])
        case LayerRedrawn():
            return replace(event, outputs=_turned(event.outputs[:1]))
        case RoundSynthesized():
            _, firsts = np.unique(event.labels, return_index=True)  # (k,) the first image of every class
            return replace(event, **{name: getattr(event, name)[firsts] for name in _BY_IMAGE})
        case _:
            return event


def written(events: Iterable[Event]) -> bytes:
    """The file of these events."""
    packed = [pack(event) for event in events]
    return MAGIC + b"".join(struct.pack("<I", len(one)) + one for one in packed)


def read(content: bytes, *, whole: bool = True) -> list[Event]:
    """The events of a file that `written` made. Raises StorageError, in one sentence, for anything else.

    `whole`: the start of the run has to be among them.
    """
    if len(content) > LARGEST:
        raise StorageError(f"recording has {len(content):,} bytes; at most {LARGEST:,} are read.")
    if not content.startswith(MAGIC):
        raise StorageError(
            "recording is not a recorded run of this version; use a file that a finished run was saved to."
        )
    events: list[Event] = []
    place = len(MAGIC)
    while place < len(content):
        (length,) = struct.unpack_from("<I", content.ljust(place + 4, b"\xff"), place)
        event = content[place + 4 : place + 4 + length]
        if len(event) < length or len(events) >= LONGEST:
            raise StorageError("recording is incomplete or damaged; save the run again.")
        events.append(unpack(event))
        place += 4 + length
    if whole and not any(isinstance(event, RunStarted) for event in events):
        raise StorageError("recording contains no run; use a file that a finished run was saved to.")
    _check([event for event in events if isinstance(event, StudentKept)])
    return events


def students(events: Iterable[Event]) -> list[StudentKept]:
    """The students by round, in order."""
    return sorted(
        (event for event in events if isinstance(event, StudentKept) and event.arm == 0),
        key=lambda student: student.learned,
    )


def save(path: Path, events: Iterable[Event]) -> None:
    """Writes the file. Raises StorageError if it cannot be written."""
    write_whole(path, written(events))


def load(path: Path) -> list[Event]:
    """Reads the file. Raises StorageError for a file that cannot be read or is no recording."""
    try:
        return read(read_file(path, LARGEST))
    except OSError as error:
        raise StorageError(
            f"recording={excerpt(path, 200)} cannot be read ({error.strerror}); name a file that a run was saved to."
        ) from None


def _check(kept: list[StudentKept]) -> None:
    """Raises StorageError unless these can be students: few, small, of finite numbers."""
    if not all(map(_is_valid, kept)) or len(kept) > MOST_STUDENTS:
        raise StorageError("recording contains students that cannot be used; save the run again.")
    if sum(one.codes.nbytes + one.numbers.nbytes for one in kept) > 4 * STUDENTS_BYTES:
        raise StorageError("recording contains students that are too large; save the run again.")


def _is_valid(one: StudentKept) -> bool:
    codes, numbers = one.codes, one.numbers
    return (
        isinstance(one.arm, int)
        and isinstance(one.learned, int)
        and 0 <= one.learned <= MOST_ROUNDS
        and isinstance(one.model, dict)
        and isinstance(codes, np.ndarray)
        and isinstance(numbers, np.ndarray)
        and codes.dtype == np.int8
        and numbers.dtype == np.float32
        and codes.ndim == numbers.ndim == 1
        and bool(np.isfinite(numbers).all())
    )


def _is_kept(event: GeneratorStep | StudentStep) -> bool:
    stride = max(1, event.steps // STEPS)
    return (event.step + 1) % stride == 0 or event.step + 1 == event.steps


def _turned(outputs: Floats) -> Floats:
    """Reduces points (m, k, width) to the number of dimensions that k points need: (m, k, ≤ k).

    The map fits them to the classes by rotation, shift and scale, so its result stays the same.
    """
    if outputs.shape[2] <= outputs.shape[1]:
        return outputs
    left, sizes, _ = np.linalg.svd(outputs, full_matrices=False)  # the right factor only rotates
    turned: Floats = (left * sizes[:, None, :]).astype(np.float32)  # (m, k, k)
    return turned
