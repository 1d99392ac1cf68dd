"""The command line: its commands, and how it reports a failure.

The import of this module is fast. The module of a command is imported only when that command runs.
"""

from __future__ import annotations

import argparse
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NoReturn, TypeAlias

from nayer.cli.exit_codes import BROKEN_PIPE, DONE, FAILED, INTERRUPTED, USAGE
from nayer.cli.streams import on_signals, stop
from nayer.common.extras import extra_of
from nayer.errors import ConfigError, NayerError, excerpt

Adder: TypeAlias = Callable[[argparse.ArgumentParser], None]
Runner: TypeAlias = Callable[[argparse.Namespace], int]
MOST_SHOWN = 300  # characters of an error that repeats the user's input


_PACKAGE = __name__.partition(".")[0]
_RUNS_KEPT = "Stopped. Finished runs are kept, and the same command continues with the others."
_NOTHING_WRITTEN = "Stopped. Nothing was written. The same command starts from the beginning."


@dataclass(frozen=True, slots=True)
class Command:
    """A word after `python -m nayer`, which is also the name of its module in this room."""

    help: str
    stopped: str = _NOTHING_WRITTEN  # a sentence for the user who stopped it


COMMANDS = {
    "distill": Command("Train a student from a teacher without training images."),
    "teach": Command("Train a teacher from labeled images."),
    "draw": Command("Make the test images of a data set that npm installs."),
    "embed": Command("Write a table of label-text embeddings for new class names."),
    "compare": Command("Compare methods or settings with equal time limits and several seeds.", _RUNS_KEPT),
    "study": Command("Run a study from a file: methods, teachers, budgets and seeds.", _RUNS_KEPT),
    "bench": Command("Print how long a run and the page take on this machine."),
    "export": Command("Write a student as ONNX, or as a repository of the Hub."),
    "config": Command("Write the settings of a run to a YAML file, with comments."),
    "completion": Command("Print a script that completes commands in bash or zsh."),
    "list": Command("List the teachers, the presets or the settings."),
}


def load(name: str) -> tuple[Adder, Runner]:
    """Two functions of the module of a command: `add_NAME_arguments`, and `NAME_command`, which runs it."""
    module = import_module(f"{__package__}.{name}")
    return getattr(module, f"add_{name}_arguments"), getattr(module, f"{name}_command")


class Parser(argparse.ArgumentParser):
    """argparse, with errors of one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raises ConfigError instead of an exit, so that an error is one sentence."""
        problem = excerpt(f"{message[:1].upper()}{message[1:]}", MOST_SHOWN)
        raise ConfigError(f"{problem}; `{self.prog} --help` shows what works.")

    def print_help(self, file: object = None) -> None:
        """Prints to standard output. The method of argparse hides failed writes."""
        sys.stdout.write(self.format_help())


def program() -> str:
    """What a person types before a command: `nayer` where it is on the PATH and was typed, else `python -m nayer`."""
    return _PACKAGE if Path(sys.argv[0]).stem == _PACKAGE else f"python -m {_PACKAGE}"


def parser_for(name: str) -> argparse.ArgumentParser:
    """The parser of one command's arguments. `run` is set to the function of the command."""
    add_arguments, run = load(name)
    parser = Parser(prog=f"{program()} {name}", description=COMMANDS[name].help, allow_abbrev=False)
    add_arguments(parser)
    parser.set_defaults(run=run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    warnings.filterwarnings("ignore", module=r"PIL\.")  # a picture that cannot be used is a sentence of ours
    with on_signals(stop):
        try:
            code = _carried_out(words)
            sys.stdout.flush()
            return code
        except BaseException as error:
            return _report_error(error, words)


def _carried_out(words: Sequence[str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        sys.stdout.write(_overview())
        return DONE if words else USAGE
    if words[0] not in COMMANDS:
        raise ConfigError(f"command must be one of {', '.join(COMMANDS)}; {excerpt(words[0])!r} was given.")
    parser = parser_for(words[0])
    try:
        parsed = parser.parse_args(words[1:])
    except SystemExit:  # argparse ends like this after --help
        return DONE
    code: int = parsed.run(parsed)
    return code


def _report_error(error: BaseException, words: Sequence[str]) -> int:
    """Prints one sentence on the end of the command, and returns its exit code."""
    code, sentence = _verdict(error, words)
    with suppress(BrokenPipeError):
        sys.stderr.write(f"{sentence}\n" if sentence else "")
    if sys.flags.dev_mode:
        traceback.print_exception(error)
    return code


def _verdict(error: BaseException, words: Sequence[str]) -> tuple[int, str]:
    if isinstance(error, NayerError):
        return USAGE if isinstance(error, ConfigError) else FAILED, str(error)
    if isinstance(error, ModuleNotFoundError) and error.name and (extra := extra_of(error.name)):
        return FAILED, f"This needs the package {error.name}, which is not installed; pip install 'nayer[{extra}]'."
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE, ""
    if isinstance(error, KeyboardInterrupt):
        command = COMMANDS.get(words[0]) if words else None
        return getattr(error, "code", INTERRUPTED), command.stopped if command else ""
    if isinstance(error, MemoryError) or "allocate memory" in str(error):
        return FAILED, "Out of memory; use a smaller batch or width."
    what = excerpt(f"{type(error).__name__}: {error}", MOST_SHOWN).rstrip(".")
    return FAILED, f"This is a bug in the program ({what}); `python -X dev -m nayer …` shows where it is."


def _overview() -> str:
    lines = [f"  {name:<10} {command.help}" for name, command in COMMANDS.items()]
    usage = f"usage: {program()} COMMAND …   (COMMAND --help shows its flags)"
    return "\n".join([usage, "", *lines, ""])
