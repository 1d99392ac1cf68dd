"""What was freed leaves the process, where its C library can be asked."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from app.support.memory import give_back


def resident() -> float:
    """In MB."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps freed memory and can be asked for it")
def test_freed_memory_goes_back_to_the_system() -> None:
    pieces = [bytes(64_000) for _ in range(2_000)]  # too small to be mapped each by itself
    held = pieces[::20]
    del pieces
    before = resident()
    give_back()
    assert before - resident() > 50
    assert len(held) == 100
