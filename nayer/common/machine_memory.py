"""The free memory of this machine for a run. Needs no torch."""

from __future__ import annotations

from pathlib import Path

SHARE = 0.8  # of the free memory, for one run; the rest is for other programs that grow
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")  # as a container sees its own, in version 2
_CGROUP_1 = _CGROUP / "memory"


def free_memory(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP, cgroup_1: Path = _CGROUP_1) -> float:
    """Free bytes of the machine, or of its container if that has less; infinite if the system does not say."""
    free = [_available(meminfo)]
    for folder, most, used in (
        (cgroup, "memory.max", "memory.current"),
        (cgroup_1, "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        free.append(_number(folder / most) - min(_number(folder / used), _number(folder / most)))
    return min((size for size in free if size == size), default=float("inf"))  # infinity minus infinity is not a number


def _available(meminfo: Path) -> float:
    try:
        lines = meminfo.read_text("ascii").splitlines()
    except OSError:
        return float("inf")
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), float("inf"))


def _number(path: Path) -> float:
    """The number in a cgroup's file; `max` or a missing file means no limit."""
    try:
        text = path.read_text("ascii").strip()
    except OSError:
        return float("inf")
    return float(text) if text.isdecimal() else float("inf")


def limit_for_a_run() -> float:
    """Bytes that one run may take here."""
    return SHARE * free_memory()
