"""The terminal, for tables and the live line."""

from __future__ import annotations

from rich.console import Console


class Terminal(Console):
    """rich's console. A closed pipe raises BrokenPipeError, which ends the command."""

    def on_broken_pipe(self) -> None:
        """Raises BrokenPipeError. rich itself would end the process."""
        raise BrokenPipeError
