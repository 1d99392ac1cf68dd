"""Shows a run on the command line: one live line in a terminal, otherwise one line for each measurement."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from nayer.cli.console import LiveDisplay
from nayer.config import Config
from nayer.events import Evaluated, EvaluatedAtStart, Event, GeneratorStep, Note, RunStarted, StudentStep

REDRAWS = 8  # in a second


class Progress(LiveDisplay):
    """A context in which events are shown on stderr; `quiet` shows notes only."""

    def __init__(self, config: Config, *, quiet: bool = False) -> None:
        super().__init__(per_second=REDRAWS, quiet=quiet)
        self.reader_left = False  # the pipe is closed at its other end
        self._config, self._quiet = config, quiet
        self._last: Event | None = None
        self._rounds = config.rounds
        self._measured = "not measured yet"
        self._generator_loss = self._student_loss = "–"

    def show(self, event: Event) -> None:
        """Updates the live line from the event."""
        self._last = event
        match event:
            case RunStarted():
                self._rounds = event.rounds
            case Note():
                self.say(event.message)
            case GeneratorStep():
                self._generator_loss = f"{event.loss:.3g}"
            case StudentStep():
                self._student_loss = f"{event.loss:.3g}"
            case Evaluated():
                self._measured = measured(event)
                if not self.is_live and not self._quiet:
                    self.say(self.drawing())

    def say(self, sentence: RenderableType) -> None:
        """Prints a sentence on its own line, which stays; `reader_left` says whether anyone can read it."""
        try:
            super().say(sentence)
        except BrokenPipeError:
            self.reader_left = True

    def drawing(self) -> Text:
        """Round, time, measurement and losses in one line."""
        if self._last is None:
            return Text("loading…")
        limit = f" of {self._config.seconds:g}" if self._config.seconds else ""
        where = f"round {min(self._last.round + 1, self._rounds)} of {self._rounds} · {self._last.seconds:.0f}{limit} s"
        losses = f"losses: generator {self._generator_loss}, student {self._student_loss}"
        return Text(f"{where} · {self._measured} · {losses}", no_wrap=True, overflow="ellipsis")


def measured(event: Evaluated) -> str:
    """A measurement in words, with shares in percent."""
    if isinstance(event, EvaluatedAtStart):
        whose = " (with its teacher's weights)" if event.thinned else ""
        return f"accuracy before training{whose} {event.accuracy or 0.0:.1%}"
    if event.accuracy is not None and event.teacher_accuracy is not None:
        return f"accuracy {event.accuracy:.1%}, teacher {event.teacher_accuracy:.1%}"
    if event.agreement is not None:
        return f"agreement with the teacher {event.agreement:.1%} on held-back samples"
    return "not measured yet"
