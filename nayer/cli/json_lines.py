"""Events as JSON lines, to a file or to standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from nayer.errors import StorageError, excerpt
from nayer.events import Event


class JsonLines:
    """Writes one event on each line immediately, for other programs. A failed write ends the lines, not the run."""

    def __init__(self, file: TextIO, name: str) -> None:
        self.failure: StorageError | None = None
        self.reader_left = False  # the reader has closed the pipe
        self._file, self._name = file, name

    def write(self, event: Event) -> None:
        """Writes the event as one line; a failure is kept in `failure`."""
        if self.failure or self.reader_left:
            return
        try:
            self._file.write(json.dumps(event.to_json()) + "\n")
            self._file.flush()
        except BrokenPipeError:
            self.reader_left = True
        except StorageError as failure:  # of standard output
            self.failure = failure
        except OSError as error:
            self.failure = StorageError(
                f"json={excerpt(self._name, 200)!r} is incomplete ({error.strerror}); choose a file on a disk with "
                "free space."
            )


@contextmanager
def json_lines(target: str) -> Iterator[JsonLines]:
    """Writes lines to `target`: a file, or - for standard output. Raises StorageError if it cannot be opened."""
    if target == "-":
        yield JsonLines(sys.stdout, target)
        return
    try:
        file = Path(target).open("w", encoding="utf-8")  # noqa: SIM115 (its own errors are told apart from the caller's)
    except OSError as error:
        raise StorageError(
            f"json={excerpt(target, 200)!r} cannot be written ({error.strerror}); choose another file."
        ) from None
    try:
        yield JsonLines(file, target)
    finally:
        with suppress(OSError):  # closing tries a failed write again; `failure` has its error already
            file.close()
