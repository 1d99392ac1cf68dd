"""Command lines that ask for trouble: files that are none, full disks, closed streams, odd surroundings, signals.

A process of its own takes seconds to import torch. So most cases are forks of this process, which has imported it: with
their folder, streams, variables and signals. What is read once, when Python or a library begins, needs a new process:
threads, encodings, pipes, and each kind of stream once.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nayer.__main__ import command
from nayer.cli.main import COMMANDS, load
from tests.reliability.commands import DONE, SMALL, Case
from tests.reliability.commands import cases as known_cases
from tests.reliability.figure import Figure
from tests.reliability.file_commands import cases as cases_of_files
from tests.support.repository import ROOT

SECONDS, MEGABYTES, LANES = 60.0, 1000.0, 2
LONGEST = 700  # characters of what is said, the log's times and the help apart
ADDRESS_SPACE = 12 << 30  # bytes: what takes more than a case may, does not take the machine
# Variables that are read late enough for a fork, and what a shell's redirections do to the numbers of the streams.
LATE = {"COLUMNS", "LINES", "TERM", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "HOME", "XDG_CACHE_HOME"}
LATE |= {"MPLCONFIGDIR", "TMPDIR", "TZ"}
REDIRECTED: dict[str, list[tuple[int, str]]] = {
    "": [],
    ">/dev/full": [(1, "/dev/full")],
    "2>/dev/full": [(2, "/dev/full")],
    ">&-": [(1, "")],
    "2>&-": [(2, "")],
    "<&-": [(0, "")],
    "<&- >&- 2>&-": [(0, ""), (1, ""), (2, "")],
}
REAL = ("list ", "mistake ", "config ", "distill SIGINT")  # each kind of stream, and a signal, in a new process too
SURROUNDINGS = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


@dataclass(frozen=True)
class Bounds:
    """What a case may take. `checkout`: whose command line it is, always in a new process; this one's without it."""

    seconds: float = SECONDS
    address_space: int = ADDRESS_SPACE
    checkout: Path | None = None


@dataclass
class Tried:
    """What came of a case; `wrong` is empty where all of it is right."""

    name: str
    code: int
    seconds: float
    megabytes: float
    out: str
    err: str
    new: set[str]
    wrong: str = ""


class Trial:
    """A case in a process of its own, begun."""

    def __init__(self, case: Case, ready: Path, bounds: Bounds) -> None:
        self.case = case
        self.bounds = bounds
        self.here = Path(tempfile.mkdtemp(prefix="case-", dir=ready))
        case.prepare(self.here)
        self._before = _names(self.here)
        self._out, self._err = ready / f"{self.here.name}.out", ready / f"{self.here.name}.err"
        for path in (self._out, self._err):
            path.touch()  # a fork may be looked at before it has begun
        self._sent = False
        self._began = time.monotonic()
        places = {"teacher": ready / "ready-teacher", "images": ready / "images"}
        words = [word.format(**places) if word in ("{teacher}", "{images}") else word for word in case.words]
        late = not case.variables.keys() - LATE and case.shell in REDIRECTED and not case.name.startswith(REAL)
        if bounds.checkout or not late:
            self.pid = self._started(words)
        else:
            self.pid = self._forked(words)

    def _started(self, words: list[str]) -> int:
        """A new process, as a shell starts it."""
        line = f"exec {shlex.join([sys.executable, '-m', 'nayer', *words])} {self.case.shell}"
        if "|" in self.case.shell:
            line = "set -o pipefail; " + line.removeprefix("exec ")
        surroundings = {**os.environ, **SURROUNDINGS, "PYTHONPATH": str(self.bounds.checkout or ROOT)}
        for name, value in self.case.variables.items():
            surroundings.pop(name, None)
            if value is not None:
                surroundings[name] = value
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(  # kept: subprocess would reap one that nobody holds
                ["bash", "-c", line],
                cwd=self.here,
                env=surroundings,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                preexec_fn=self._bounded,  # noqa: PLW1509 (there is one thread)
            )
        return self._process.pid

    def _forked(self, words: list[str]) -> int:
        """This process once more: one that has imported all of it starts a hundred times faster."""
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            self._bounded()
            self._surrounded()
            code = command(words)
            sys.stdout.flush()
        except BaseException as error:
            code = error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1
            if not isinstance(error, SystemExit):
                traceback.print_exc()
        finally:
            with contextlib.suppress(OSError):
                sys.stderr.flush()
            os._exit(code)

    def _surrounded(self) -> None:
        """Gives this fork the case's folder, variables and streams, as a new process has them."""
        os.chdir(self.here)
        for name, value in self.case.variables.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        time.tzset()
        tempfile.tempdir = None  # it was looked up with other variables
        streams = [os.open(os.devnull, os.O_RDONLY)]
        streams += [os.open(path, os.O_WRONLY | os.O_CREAT) for path in (self._out, self._err)]
        for number, handle in enumerate(streams):
            os.dup2(handle, number)
            os.close(handle)
        for number, target in REDIRECTED[self.case.shell]:
            os.close(number)
            if target:
                os.open(target, os.O_WRONLY)  # gets the number that is free
        sys.stdin, sys.stdout, sys.stderr = (
            None if (number, "") in REDIRECTED[self.case.shell] else open(number, mode, closefd=False)  # noqa: SIM115
            for number, mode in enumerate("rww")
        )

    def _bounded(self) -> None:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (self.bounds.address_space, self.bounds.address_space))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self.case.file_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.case.file_bytes, self.case.file_bytes))

    def over(self) -> Tried | None:
        """What came of it, once it has ended or taken too long."""
        seconds = time.monotonic() - self._began
        pid, status, used = os.wait4(self.pid, os.WNOHANG)
        if not pid and seconds > self.bounds.seconds:
            os.killpg(self.pid, signal.SIGKILL)
            pid, status, used = os.wait4(self.pid, 0)
        if not pid:
            self._send()
            return None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        tried = Tried(
            self.case.name,
            os.waitstatus_to_exitcode(status),
            seconds,
            used.ru_maxrss / 1024,
            self._out.read_text("utf-8", "replace"),
            self._err.read_text("utf-8", "replace"),
            _names(self.here) - self._before,
        )
        tried.wrong = "hangs" if seconds > self.bounds.seconds else _judged(self.case, tried)
        shutil.rmtree(self.here)
        self._out.unlink()
        self._err.unlink()
        return tried

    def _send(self) -> None:
        if self.case.send and not self._sent:
            said = self._out.read_text("utf-8", "replace") + self._err.read_text("utf-8", "replace")
            if self.case.after in said:
                os.kill(self.pid, self.case.send)
                self._sent = True


def cases() -> list[Case]:
    """All of them, the slow ones first, so that the last ones do not wait for one."""
    found = [*known_cases(), *cases_of_files()]
    return sorted(found, key=lambda case: not (case.words[:1] == ["compare"] and DONE & case.codes) and not case.send)


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _judged(case: Case, tried: Tried) -> str:
    """What is wrong with it, in a few words."""
    said = [
        line
        for line in tried.err.splitlines()
        if not re.match(r"round \d|epoch \d|\d+ of \d|libgomp|There are no labeled|In this folder|OMP", line)
    ]
    stray = {name for name in tried.new if name.split("/")[0] not in case.leaves or name.endswith((".part", ".lock"))}
    if tried.megabytes > MEGABYTES:
        return f"{tried.megabytes:,.0f} MB"
    if "Traceback" in tried.err + tried.out or "Exception ignored" in tried.err:
        return "traceback: " + tried.err.strip().splitlines()[-1][:100]
    if tried.code not in case.codes:
        return f"exit code {tried.code}: {tried.err.strip()[-160:]}"
    if stray:
        return f"leaves {', '.join(sorted(stray))[:100]}"
    if tried.code and (len(said) > 3 or len("".join(said)) > LONGEST):
        return f"says {len(said)} lines, {len(''.join(said))} characters: {tried.err[-100:]}"
    if case.says and not re.search(case.says, tried.err):
        return f"does not say {case.says!r}: {tried.err[-160:]!r}"
    if tried.code in (1, 2) and "2>" not in case.shell and "|" not in case.shell and not said:
        return "says nothing"
    return ""


def trials(chosen: list[Case]) -> Iterator[Tried]:
    """Each of them, two at a time."""
    os.environ.update(SURROUNDINGS)
    for name in COMMANDS:
        load(name)
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder)
        made(ready)
        yield from in_lanes(chosen, ready, Bounds())


def in_lanes(chosen: list[Case], ready: Path, bounds: Bounds) -> Iterator[Tried]:
    """`ready`: the folder in which what the cases need stands ready."""
    waiting = list(chosen)[::-1]
    running: list[Trial] = []
    while waiting or running:
        while waiting and len(running) < LANES:
            running.append(Trial(waiting.pop(), ready, bounds))
        for trial in list(running):
            tried = trial.over()
            if tried:
                running.remove(trial)
                yield tried
        time.sleep(0.02)


def made(ready: Path) -> None:
    """A tiny teacher, another of the same shape, images, and a short run of the first."""
    script = """
import hashlib, sys
from pathlib import Path
import torch
from nayer.networks.specs import ModelSpec
from nayer.networks.classifiers import build
from nayer.networks.cards import TeacherCard
from nayer.teachers.load import weights_of
from PIL import Image
for seed, name in enumerate(("ready-teacher", "other-teacher")):
    folder = Path(sys.argv[1], name)
    folder.mkdir()
    model = ModelSpec(architecture="lenet-4", channels=1, size=8, classes=3, mean=(0.5,), std=(0.25,))
    weights = weights_of(build(model, torch.Generator().manual_seed(seed)))
    card = TeacherCard(name="tiny", title="Tiny", model=model, mirror=True, testset=None, test_accuracy=0.3, seed=0,
        student=model.model_copy(update={"architecture": "lenet-2"}), classes=("cat", "dog", "boat"), license="MIT",
        data="None: its weights are random.", command="none", sha256=hashlib.sha256(weights).hexdigest())
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text(card.model_dump_json(), "utf-8")
for name in ("cat", "dog"):
    (Path(sys.argv[1], "images") / name).mkdir(parents=True)
    for number in range(4):
        Image.new("L", (8, 8), 60 * number).save(Path(sys.argv[1], "images", name, f"{number}.png"))
"""
    surroundings = {**os.environ, **SURROUNDINGS}
    subprocess.run([sys.executable, "-c", script, str(ready)], env=surroundings, check=True)
    run = ["distill", "--teacher", "../ready-teacher", *SMALL, "--out", str(ready / "ready-run")]
    (ready / "x").mkdir()
    subprocess.run(
        [sys.executable, "-m", "nayer", *run], cwd=ready / "x", env=surroundings, check=True, capture_output=True
    )


def measure() -> Figure:
    found = list(trials(cases()))
    wrong = [f"{one.name}: {one.wrong}" for one in found if one.wrong]
    slowest, largest = max(one.seconds for one in found), max(one.megabytes for one in found)
    return Figure(
        24,
        "command lines that cause problems: wrong files, full disks, closed streams, environments, signals",
        f"the exit code that is right, a sentence or two, no file left half-written or lying about, "
        f"< {SECONDS:.0f} s, < {MEGABYTES:.0f} MB",
        f"{len(found)} tried, {len(wrong)} otherwise, slowest {slowest:.0f} s, most memory {largest:.0f} MB"
        + "".join(f"; {one}" for one in wrong[:3]),
        not wrong,
    )


if __name__ == "__main__":
    wanted = [case for case in cases() if re.search(sys.argv[1] if len(sys.argv) > 1 else "", case.name)]
    for one in trials(wanted):
        line = f"{one.name:<45} {one.code:>4} {one.seconds:5.1f} s {one.megabytes:5.0f} MB  {one.wrong or 'ok'}"
        sys.stdout.write(f"{line}  | {one.err.strip()[-150:]!r}\n")
        sys.stdout.flush()
