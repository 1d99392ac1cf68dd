"""Things that people have on their disks: made by the code of one day, and opened by the code of every later one."""

from __future__ import annotations

import importlib.util
import json
import shutil
import signal
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.behavior.entrances import Application, Said, command, event_types, inside, load_recording
from tests.behavior.fixtures import STORED
from tests.behavior.runs import (
    digest_of_events,
    digest_of_weights,
    going_on_from,
    halfway,
    in_the_record,
    recorded,
    vocabulary,
)
from tests.behavior.talk import Talk

RECORDING, RUN, HALFWAY, TEACHER = "run.nayer", "run", "halfway", "teacher"
DATA, DATA_KEYS = "data.tar.gz", "data.json"
CHECKPOINT = "checkpoint.safetensors"
CHECKPOINT_SECONDS = 10.5  # the page saves a run that is older than ten seconds at the end of a round
TINY = {"generator_width": 2, "noisy_width": 16, "student": "lenet-2"}
# Quick runs of the page; the sizes of tests/behavior/runs.py, on the CPU wherever this runs.
PAGE = {
    **TINY,
    "device": "cpu",
    "warmup_rounds": 1,
    "generator_steps": 2,
    "synthesis_batch": 20,
    "student_steps": 2,
    "student_batch": 16,
}
_FLAGS = (
    *("--warmup-rounds=1", "--generator-steps=2", "--synthesis-batch=20", "--student-steps=2", "--student-batch=16"),
    *("--generator-width=2", "--noisy-width=16", "--seed=3", "--device=cpu"),
)

# --- making ----------------------------------------------------------------------------------------------------------


def make(folder: Path) -> None:
    """All of them anew, into STORED; `folder` is for scratch."""
    shutil.rmtree(STORED, ignore_errors=True)
    (STORED / HALFWAY).mkdir(parents=True)
    _teach(folder)
    shutil.copytree(folder / TEACHER, STORED / TEACHER)
    words = ("--teacher=digits", "--student=lenet-2", "--rounds=3", f"--out={RUN}", f"--record={RECORDING}")
    _done(folder, "distill", *words, *_FLAGS)
    shutil.copytree(folder / RUN, STORED / RUN)
    shutil.copy(folder / RECORDING, STORED / RECORDING)
    (STORED / HALFWAY / CHECKPOINT).write_bytes(halfway(**TINY))
    _fill(folder / "data")


def _teach(folder: Path) -> None:
    """Three classes of gray images, 8 × 8: a shade and a noise each."""
    rng = np.random.default_rng(0)
    for place, name in enumerate(("cat", "dog", "ship")):
        (folder / "images" / name).mkdir(parents=True)
        for number in range(10):
            pixels = rng.integers(0, 60, (8, 8)) + 80 * place
            Image.fromarray(pixels.astype(np.uint8)).save(folder / "images" / name / f"{number}.png")
    sizes = ("--model=lenet-2", "--student=lenet-1", "--epochs=3", "--mirror")
    _done(folder, "teach", "--data=images", f"--out={TEACHER}", *sizes)


def _fill(folder: Path) -> None:
    """A data folder of the page, with a run that finished and one that the server's end interrupted."""
    application = Application(folder)
    talk = Talk(application.url)
    try:
        finished = talk.endpoint("start", "digits", "nayer", 3, "lte", 3, PAGE, "")
        talk.until(lambda: talk.get("/health").json()["runs"].get("finished") == 1, "the end of the run")
        fields = {**PAGE, "rounds": 4, "seed": 3, "teacher": "digits"}
        said = {"token": finished["token"], "paused": True, "asked": "1"}
        cut = talk.page_event("stage", "play", said, fields=fields)["stage"]
        owner = (cut["run"], cut["token"])
        time.sleep(CHECKPOINT_SECONDS)
        for kind in ("round", "generator"):  # a checkpoint after the round, and something that it does not have
            talk.command("step", *owner, kind)
            talk.until_state(cut["run"], "paused")
    finally:
        talk.close()
        application.end(signal.SIGTERM)
    keys = {"finished": finished["run"], "interrupted": cut["run"], "token": cut["token"]}
    (STORED / DATA_KEYS).write_text(json.dumps(keys, indent=1) + "\n", "utf-8")
    with tarfile.open(STORED / DATA, "w:gz") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name != "lock":
                archive.add(path, path.relative_to(folder).as_posix(), filter=_nobodys)


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def _done(folder: Path, *words: str) -> None:
    said = command(*words, folder=folder)
    assert said.code == 0, said


# --- opening ---------------------------------------------------------------------------------------------------------


def unpacked(folder: Path) -> dict[str, str]:
    """Puts the page's data into `folder`; the ids of its two runs, and the token of their visitor."""
    with tarfile.open(STORED / DATA) as archive:
        for entry in archive.getmembers():
            target = folder / entry.name
            target.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(entry)
            assert content is not None
            target.write_bytes(content.read())
    keys: dict[str, str] = json.loads((STORED / DATA_KEYS).read_text("utf-8"))
    return keys


def _copied(name: str, folder: Path) -> Path:
    """A folder of STORED, to be written to."""
    return Path(shutil.copytree(STORED / name, folder / name))


def _recording(_: Path) -> dict[str, Any]:
    events = load_recording(STORED / RECORDING)
    return {"events": digest_of_events(events), "kinds": [in_the_record(type(event).__name__) for event in events]}


def _checkpoint(_: Path) -> dict[str, Any]:
    return recorded(going_on_from((STORED / HALFWAY / CHECKPOINT).read_bytes()))


def _student(folder: Path) -> dict[str, Any]:
    run = _copied(RUN, folder)
    return {"files": _files(run), "logits": _logits(run)}


def _one_round_more(folder: Path) -> dict[str, Any]:
    _copied(RUN, folder)
    said = command("distill", f"--resume={RUN}", "--rounds=4", "--json=events.jsonl", folder=folder)
    return _left(folder, RUN, said)


def _taught_by_the_teacher(folder: Path) -> dict[str, Any]:
    teacher = _copied(TEACHER, folder)
    tests = f"--test-data={TEACHER}/test-images.zip"
    words = ("distill", f"--teacher={TEACHER}", tests, "--latent=one-hot", "--rounds=2", "--out=new")
    said = command(*words, *_FLAGS, "--json=events.jsonl", folder=folder)
    return {"teacher": _files(teacher)} | _left(folder, "new", said)


# What comes of each stored thing; each is given a folder for scratch.
OPENINGS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "recording": _recording,
    "checkpoint": _checkpoint,
    "run": _student,
    "run, one round more": _one_round_more,
    "teacher": _taught_by_the_teacher,
}


def _left(folder: Path, run: str, said: Said) -> dict[str, Any]:
    """What a run has left in `folder`/`run`, and told of its events."""
    assert said.code == 0, said
    lines = [json.loads(line) for line in (folder / "events.jsonl").read_text("utf-8").splitlines()]
    recorded_names = vocabulary()["events"]
    known = {
        kind.json_name(): {"event", *recorded_names[in_the_record(kind.__name__)]} - {"seconds"}
        for kind in event_types()
        if in_the_record(kind.__name__) in recorded_names
    }
    lines = [
        {name: value for name, value in line.items() if in_the_record(name) in known[line["event"]]}
        for line in lines
        if line["event"] in known
    ]
    metrics, recorded_metrics = (
        (place / "metrics.csv").read_text("utf-8").splitlines() for place in (folder / run, STORED / RUN)
    )
    columns = recorded_metrics[0].split(",")
    return {
        "files": _files(folder / run),
        "student": digest_of_weights(load_file(folder / run / "student.safetensors")),
        "events": lines[-3:],
        "metrics": [
            [name for name in map(in_the_record, metrics[0].split(",")) if name in columns],
            f"{len(metrics) - 1} lines",
        ],
    }


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _logits(run: Path) -> list[float]:
    """What the student says of one gray image, loaded by the code that was written beside it."""
    spec = importlib.util.spec_from_file_location("stored_student", run / "student.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with inside(run):
        spec.loader.exec_module(module)
        network = module.load()
    with torch.no_grad():
        return [round(value, 3) for value in network(torch.full((1, 1, 8, 8), 0.5))[0].tolist()]
