"""The terminal, for tables and what is drawn again and again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

from rich.console import Console, RenderableType
from rich.live import Live


class Terminal(Console):
    """rich's console. It shows texts as they are. A closed pipe raises BrokenPipeError, which ends the command."""

    def __init__(self, **options: Any) -> None:
        # A path or a title may hold brackets. rich reads them as styles, and fails at the end of one that never began.
        super().__init__(markup=False, emoji=False, **options)

    def on_broken_pipe(self) -> None:
        """Raises BrokenPipeError. rich itself would end the process."""
        raise BrokenPipeError


class LiveDisplay(ABC):
    """A context that draws its subject on stderr again and again, if that is a terminal and `quiet` is not set."""

    def __init__(self, *, per_second: int, quiet: bool = False) -> None:
        self.console = Terminal(stderr=True, highlight=False)
        self.is_live = self.console.is_terminal and not self.console.is_dumb_terminal and not quiet
        self._per_second = per_second
        self._live: Live | None = None  # made on entering, because it asks for a drawing at once

    def __enter__(self) -> Self:
        if self.is_live:
            self._live = Live(console=self.console, get_renderable=self.drawing, refresh_per_second=self._per_second)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    @abstractmethod
    def drawing(self) -> RenderableType:
        """The present state of the subject."""

    def say(self, sentence: RenderableType) -> None:
        """Prints a sentence on its own line, which stays."""
        self.console.print(sentence, soft_wrap=True)
