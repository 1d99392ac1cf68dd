"""The command line: which commands there are, and how a failure is told.

Importing this is cheap; a command's own module is imported once that command is asked for.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from nayer.cli_codes import DONE, FAILED, INTERRUPTED, USAGE
from nayer.errors import ConfigError, NayerError

Adder: TypeAlias = Callable[[argparse.ArgumentParser], None]
Runner: TypeAlias = Callable[[argparse.Namespace], int]


@dataclass(frozen=True, slots=True)
class Command:
    """A word behind `python -m nayer`; `load` gives what adds its arguments and what runs it."""

    help: str
    load: Callable[[], tuple[Adder, Runner]]


def _distill() -> tuple[Adder, Runner]:
    from nayer.cli_distill import add_distill_arguments, distill_command

    return add_distill_arguments, distill_command


def _teach() -> tuple[Adder, Runner]:
    from nayer.cli_teach import add_teach_arguments, teach_command

    return add_teach_arguments, teach_command


def _draw() -> tuple[Adder, Runner]:
    from nayer.cli_draw import add_draw_arguments, draw_command

    return add_draw_arguments, draw_command


def _embed() -> tuple[Adder, Runner]:
    from nayer.embed import add_embed_arguments, embed_command

    return add_embed_arguments, embed_command


def _compare() -> tuple[Adder, Runner]:
    from nayer.cli_compare import add_compare_arguments, compare_command

    return add_compare_arguments, compare_command


def _list() -> tuple[Adder, Runner]:
    from nayer.cli_list import add_list_arguments, list_command

    return add_list_arguments, list_command


def _bench() -> tuple[Adder, Runner]:
    from nayer.cli_bench import add_bench_arguments, bench_command

    return add_bench_arguments, bench_command


COMMANDS = {
    "distill": Command("Train a student from a teacher without a training image.", _distill),
    "teach": Command("Train a teacher from labelled images.", _teach),
    "draw": Command("Draw the test images of an emoji data set.", _draw),
    "embed": Command("Write a table of label-text embeddings for new class names.", _embed),
    "compare": Command("Hold methods or policies side by side, with equal budgets and several seeds.", _compare),
    "bench": Command("Print how long a run and the page take here.", _bench),
    "list": Command("Show the teachers, the presets or the settings.", _list),
}


class Parser(argparse.ArgumentParser):
    """argparse, with a complaint of one sentence."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[:1].upper()}{message[1:]}; `{self.prog} --help` shows what works.")


def parser_for(name: str) -> argparse.ArgumentParser:
    """The parser of one command's arguments, with `run` set to what carries them out."""
    command = COMMANDS[name]
    add_arguments, run = command.load()
    parser = Parser(prog=f"python -m nayer {name}", description=command.help, allow_abbrev=False)
    add_arguments(parser)
    parser.set_defaults(run=run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Carries out one command line and returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if not words or words[0] in ("-h", "--help"):
            sys.stdout.write(_overview())
            return DONE if words else USAGE
        if words[0] not in COMMANDS:
            raise ConfigError(f"command={words[0][:60]!r} does not exist; use one of {', '.join(COMMANDS)}.")
        parsed = parser_for(words[0]).parse_args(words[1:])
        code: int = parsed.run(parsed)
        return code
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    except NayerError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    except MemoryError:
        sys.stderr.write("The memory ran out; a smaller batch or width needs less.\n")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        _flush()


def _flush() -> None:
    """Sends what is left to standard output, or drops it if its reader has left (`… | head`)."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _overview() -> str:
    lines = [f"  {name:<8} {command.help}" for name, command in COMMANDS.items()]
    usage = "usage: python -m nayer COMMAND …   (COMMAND --help shows its flags)"
    return "\n".join([usage, "", *lines, ""])
