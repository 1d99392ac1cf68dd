"""Returns freed memory to the system: otherwise glibc keeps tens of megabytes after some runs."""

from __future__ import annotations

import ctypes
from functools import cache


def give_back() -> None:
    """It takes milliseconds. It does nothing with another C library."""
    if (trim := _trim()) is not None:
        trim(0)


@cache
def _trim() -> ctypes._NamedFuncPointer | None:
    try:
        return ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):
        return None
