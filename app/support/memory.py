"""Returns freed memory to the system: glibc would keep tens of megabytes after some runs."""

from __future__ import annotations

import ctypes
from functools import cache


def give_back() -> None:
    """Milliseconds; does nothing where the C library is another."""
    if (trim := _trim()) is not None:
        trim(0)


@cache
def _trim() -> ctypes._NamedFuncPointer | None:
    try:
        return ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):
        return None
