"""The data folder goes, is replaced, becomes read-only or full, beside real runs at a real server."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from app.storage import migrations
from tests.reliability.booting import Application
from tests.reliability.bystander import ENDLESS, UNHARMED, Bystander, Noticed
from tests.reliability.figure import Figure

SAID_SECONDS = 8.0  # a few sweeps of two seconds
KEPT_SECONDS = 30.0  # until what goes on is kept again, once it can be
LINES = 20  # of the log, beside those of runs
ROUNDS_LOST = 3  # that a viewer had seen and that were still to be written
Harm = Callable[[Path], AbstractContextManager[None]]


def lasting(change: Callable[[Path], object]) -> Harm:
    """A harm that nobody takes back."""

    @contextlib.contextmanager
    def harm(folder: Path) -> Iterator[None]:
        change(folder)
        yield

    return harm


@contextlib.contextmanager
def a_file(folder: Path) -> Iterator[None]:
    """In the folder's place, for a while."""
    folder.rename(folder.with_name("away"))
    folder.touch()
    yield
    folder.unlink()


def renamed(folder: Path) -> None:
    folder.rename(folder.with_name("renamed"))


def linked(folder: Path) -> None:
    folder.rename(folder.with_name("linked"))
    folder.with_name("elsewhere").mkdir()
    folder.symlink_to(folder.with_name("elsewhere"))


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The same folder, mounted over itself. Needs root."""
    _mount("--bind", str(folder), str(folder))
    _mount("-o", "remount,bind,ro", str(folder))
    yield
    subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """Not a byte is left on the file system."""
    filler = folder.with_name("filler")
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    yield
    filler.unlink()


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


HARMS: dict[str, Harm] = {
    "deleted": lasting(shutil.rmtree),
    "renamed": lasting(renamed),
    "linked elsewhere": lasting(linked),
    "a file in its place": a_file,
    "database deleted": lasting(lambda folder: (folder / migrations.NAME).unlink()),
    "files deleted": lasting(lambda folder: shutil.rmtree(folder / "files")),
    "lock deleted": lasting(lambda folder: (folder / "lock").unlink()),
}
MOUNTED: dict[str, Harm] = {"read-only": read_only, "full": full}
UNSAID = {"lock deleted"}  # nothing is lost by it


def measure() -> Figure:
    wrong: list[str] = []
    found: list[Tried] = []
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as mounts:
        base = Path(name)
        harms = dict(HARMS)
        if mounted(base, mounts):
            harms |= MOUNTED
        page = Application(base / "data")
        for harm in harms:
            found.append(tried(page, base / "data", harm, harms[harm]))
            page.end(signal.SIGKILL)
            page = Application(base / "data")
            wrong += [f"{harm}: {one}" for one in [*found[-1].wrong, *missing(page, found[-1].rounds)]]
        page.end(signal.SIGTERM)
    noticed = Noticed.worst(one.noticed for one in found)
    left = "" if len(harms) > len(HARMS) else "; read-only and full not tried, for nothing can be mounted here"
    return Figure(
        23,
        "the data folder is " + ", ".join(harms) + ", beside a real run",
        f"said ≤ {SAID_SECONDS:g} s; runs go on, the log stays short; then kept again and there after a SIGKILL; "
        + UNHARMED,
        f"{len(harms)} harms: said after at most {max(one.said for one in found):.1f} s, {len(wrong)} wrong"
        + "".join(f"; {one}" for one in wrong[:3])
        + f"{left}; {noticed}",
        not wrong and not left and noticed.held,
    )


def mounted(base: Path, mounts: contextlib.ExitStack, megabytes: int = 512) -> bool:
    """Whether `base` could be made a small file system of its own. Needs root."""
    try:
        _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(base))
    except (OSError, subprocess.CalledProcessError):
        return False
    mounts.callback(subprocess.run, ["umount", "-l", str(base)], check=False)
    return True


@dataclass
class Tried:
    """What came of a harm."""

    said: float  # seconds until the server told of it
    wrong: list[str]
    rounds: dict[str, int]  # that each run has to have after a restart
    noticed: Noticed


def tried(page: Application, folder: Path, name: str, harm: Harm) -> Tried:
    wrong: list[str] = []
    bystander = Bystander(page, ENDLESS)
    other = bystander.newcomer()
    _reach(page, other["run"], 3)
    bystander.measured_from_here()  # beside a second run, as in the end
    page.command("stop", other["run"], other["token"])
    lines = _chatter(page)
    before = bystander.run
    began = time.monotonic()
    with bystander.beside(name), harm(folder):
        said = 0.0
        if name not in UNSAID:
            _wait(lambda: health(page)["kept"] != "on disk", KEPT_SECONDS)
            said = time.monotonic() - began
            wrong += [] if said <= SAID_SECONDS else [f"said after {said:.1f} s only"]
        _reach(page, before, page.status(before)["rounds_done"] + 3)
        during = bystander.newcomer()["run"]
        _reach(page, during, 3)
        time.sleep(SAID_SECONDS / 2 if name in ("full", "read-only", "a file in its place") else 0.0)
    if not _wait(lambda: not health(page)["degraded"], KEPT_SECONDS):
        wrong.append(f"still degraded: {health(page)['kept']}")
    rounds = {run: page.status(run)["rounds_done"] for run in (before, during)}
    for run in rounds:
        _reach(page, run, page.status(run)["rounds_done"] + 3)
    spoken = _chatter(page) - lines
    wrong += [] if spoken <= LINES else [f"{spoken} lines in the log"]
    return Tried(said, wrong, rounds, bystander.after())


def missing(page: Application, rounds: dict[str, int]) -> list[str]:
    """Which runs are not there, or without rounds that were seen long before the kill."""
    wrong = []
    for run, least in rounds.items():
        try:
            told = page.status(run)
        except HTTPError as error:
            wrong.append(f"a run is gone ({error.code})")
            continue
        if told["state"] != "interrupted" or told["rounds_done"] < least - ROUNDS_LOST:
            wrong.append(f"a run is {told['state']} with {told['rounds_done']} of {least} rounds")
    return wrong


def health(page: Application) -> dict[str, Any]:
    return page.get("health")


def _chatter(page: Application) -> int:
    """Lines that tell of no run."""
    return sum('"event": "said"' in line for line in page.said)


def _reach(page: Application, run: str, rounds: int) -> None:
    reached = _wait(lambda: page.status(run).get("rounds_done", 0) >= rounds, 60.0)
    assert reached, f"round {rounds} was not reached: {page.status(run)['state']}"


def _wait(true: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < until:
        time.sleep(0.1)
    return found
