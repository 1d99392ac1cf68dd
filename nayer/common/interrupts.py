"""Ctrl-C while a program still imports its modules. This module imports nothing that takes time."""

import signal


class SilentInterrupts:
    """Inside, Ctrl-C ends the process as the system does, not with a traceback from the middle of an import.

    An ignored signal stays ignored, as under nohup. For the main thread.
    """

    def __enter__(self) -> None:
        self._before = signal.getsignal(signal.SIGINT)
        if self._before is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGINT, self._before)
