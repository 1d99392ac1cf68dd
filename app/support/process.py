"""What the server's process needs before it imports anything: three open streams and a folder that exists."""

import os
import sys
from pathlib import Path


def prepare() -> None:
    """Makes the surroundings usable. Call it once, when the process begins.

    A closed stream is opened on the null device. Otherwise the next file gets its number, such as the database of the
    history, and what a library prints lands in it. A folder that was deleted is left, because Gradio asks for it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
    try:
        os.getcwd()
    except OSError:
        os.chdir(Path(__file__).parents[2])
    os.environ.pop("GRADIO_SERVER_PORT", None)  # Gradio reads it on import, and fails at a text; PORT is ours


def tell(sentence: str) -> None:
    """Writes a line to standard output. If nobody can read it, this and all else that is written there is lost."""
    try:
        sys.stdout.write(f"{sentence}\n")
        sys.stdout.flush()
    except OSError:  # full, or the reader has gone
        handle = os.open(os.devnull, os.O_WRONLY)  # what is in the buffer goes there, now and when Python ends
        os.dup2(handle, sys.stdout.fileno())
        os.close(handle)
