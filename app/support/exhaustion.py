"""What the machine has no more of for a moment: threads, open files, memory or disk. Such an error is no fault of ours.

The server then refuses the one thing that needs it with a sentence, and goes on with all else.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import TypeVar

LEAST_FILES = 64  # that a process may open, so that it can serve anybody: it has some 30 open itself
T = TypeVar("T")
_NO_THREAD = "can't start new thread"  # CPython's words; the error has no class of its own
_MISSING = {
    errno.EMFILE: "open files",
    errno.ENFILE: "open files",
    errno.ENOSPC: "disk space",
    errno.EDQUOT: "disk space",
    errno.EAGAIN: "processes",
    errno.ENOMEM: "memory",
}


def no_thread(error: BaseException) -> bool:
    """Whether the machine had no thread to spare. Then nothing of the call has happened."""
    return isinstance(error, RuntimeError) and str(error) == _NO_THREAD


def missing(error: BaseException) -> str:
    """What the machine has no more of, in the plural or as a mass; empty for any other error."""
    if no_thread(error):
        return "threads"
    if isinstance(error, MemoryError):
        return "memory"
    return _MISSING.get(error.errno or 0, "") if isinstance(error, OSError) else ""


def few_files() -> str:
    """One sentence if this process may open too few files to serve; empty if it may open enough."""
    try:
        import resource
    except ImportError:  # Windows
        return ""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY or allowed >= LEAST_FILES:
        return ""
    return f"This process may open {allowed} files, and the page needs {LEAST_FILES}; allow more with ulimit -n."


async def in_thread(call: Callable[[], T]) -> T:
    """Calls it in a thread; in this one, where the event loop waits for it, if there is no other."""
    try:
        answer = asyncio.get_running_loop().run_in_executor(None, call)
    except RuntimeError as error:
        if not no_thread(error):
            raise
        return call()
    return await answer
