"""The files of a run, made from its recorded events and its student's weights."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Sequence

from torch import nn

from nayer.common.safetensors_header import header
from nayer.errors import AssetError
from nayer.events import Event, RunStarted, StudentKept
from nayer.exports import config_file
from nayer.exports.config_file import RUN_FILE
from nayer.exports.gif import animation
from nayer.exports.metrics_table import Record
from nayer.exports.recording import written
from nayer.exports.reproduce import command_line, known
from nayer.exports.run_folder import CODE, CONFIG, METRICS, SAMPLES, STUDENT, png
from nayer.exports.standalone_code import plain_code
from nayer.networks.classifiers import Classifier
from nayer.networks.specs import ModelSpec

ANIMATION, EVENTS, RECORDING, EXPLAINED = "samples.gif", "events.jsonl", "run.nayer", "README.txt"

_DATES = ((1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58))  # a zip file has none before and none after
_README = """A run of data-free distillation: {teacher}, {rounds} rounds.

Again:            {command}
{student}
{samples}        one image per class for the latest rounds, newest on top; {animation} has one frame per round
{metrics}        one line per round
{settings}           every setting: python -m nayer distill --config {settings}
{events}       every recorded event, one line of JSON each
{recording}          the run as a recording for the page: python app.py --recording {recording}
"""
_STUDENT = """The student:      {weights}; in this folder, with PyTorch and safetensors:

    from student import load
    logits = load()(images)  # (n, c, h, w) from 0 to 1 -> (n, k)
"""


def description(student: nn.Module, classes: Sequence[str]) -> dict[str, str]:
    """The facts about a student in its file, besides the weights. Empty for a network that was not built here."""
    if not isinstance(student, Classifier):
        return {}
    return {"model": student.spec.model_dump_json(), "classes": json.dumps(list(classes))}


def files(
    events: Sequence[Event], student: bytes, animate: Callable[[list[Event]], bytes] = animation
) -> dict[str, bytes]:
    """The files by name. `student` is the first arm's student as safetensors with its `description`, or empty.
    `animate` makes the animation. It may do this in another process, because the animation takes most of the time.

    The events of other arms are left out. Only the recording has the students by round. Raises ValueError if no run
    has begun.
    """
    recorded = [event for event in events if event.arm == 0]
    events = [event for event in recorded if not isinstance(event, StudentKept)]
    started = next((event for event in events if isinstance(event, RunStarted)), None)
    if started is None:
        raise ValueError("no run has started")
    record = Record()
    for event in events:
        record.add(event)
    found = {
        ANIMATION: animate(events),
        SAMPLES: png(record.grid(), started.image_shape[1]),
        METRICS: record.csv().encode(),
        EVENTS: "".join(json.dumps(event.to_json(), ensure_ascii=False) + "\n" for event in events).encode(),
        CONFIG: (json.dumps({"config": started.config, "classes": started.classes}, indent=2) + "\n").encode(),
        RUN_FILE: config_file.written(known(started.config)).encode(),
        RECORDING: written(recorded),
        STUDENT: student,
        CODE: _code(student),
    }
    found = {name: content for name, content in found.items() if content}
    return found | {EXPLAINED: _explained(started, student).encode()}


def zipped(contents: dict[str, bytes]) -> bytes:
    """One zip file of them, in a folder."""
    file, now = io.BytesIO(), time.localtime()[:6]
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            member = zipfile.ZipInfo(f"nayer-run/{name}", max(_DATES[0], min(now, _DATES[1])))
            member.external_attr = 0o644 << 16
            archive.writestr(member, content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _code(student: bytes) -> bytes:
    try:
        about = header(student, STUDENT).about
        spec = ModelSpec.model_validate_json(about["model"])
        return plain_code(spec, json.loads(about["classes"]), STUDENT).encode()
    except (AssetError, KeyError, TypeError, ValueError):  # cannot be built here, or comes from an earlier version
        return b""


def _explained(started: RunStarted, student: bytes) -> str:
    return _README.format(
        teacher=started.teacher,
        rounds=started.rounds,
        command=command_line(known(started.config)),
        student=_STUDENT.format(weights=STUDENT) if student else "",
        samples=SAMPLES,
        animation=ANIMATION,
        metrics=METRICS,
        settings=RUN_FILE,
        events=EVENTS,
        recording=RECORDING,
    )
