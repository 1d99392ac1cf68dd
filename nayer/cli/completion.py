"""`python -m nayer completion`: prints a script that completes commands, flags and their values in a shell."""

from __future__ import annotations

import argparse
import sys

import shtab

from nayer.cli.exit_codes import DONE
from nayer.cli.main import COMMANDS, load
from nayer.errors import ConfigError, excerpt
from nayer.presets import PRESETS

SHELLS = ("bash", "zsh")


def add_completion_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `completion_command`."""
    parser.add_argument("shell", metavar="|".join(SHELLS), help="The shell that reads the script.")


def completion_command(arguments: argparse.Namespace) -> int:
    """Prints the script for the command `nayer`. Returns 0 on success. Raises ConfigError for another shell."""
    if arguments.shell not in SHELLS:
        raise ConfigError(f"shell must be one of {', '.join(SHELLS)}; {excerpt(arguments.shell)!r} was given.")
    sys.stdout.write(shtab.complete(_whole(), arguments.shell))
    return DONE


def _whole() -> argparse.ArgumentParser:
    """All commands under one parser, as shtab needs them."""
    whole = argparse.ArgumentParser(prog="nayer")
    under = whole.add_subparsers()
    for name, command in COMMANDS.items():
        one = under.add_parser(name, description=command.help, help=command.help)
        add_arguments, _ = load(name)
        add_arguments(one)
        one.usage = None
        for action in one._actions:
            _complete(action)
    return whole


def _complete(action: argparse.Action) -> None:
    """Says what completes a flag: its words, a file, or a folder."""
    if action.choices is None and isinstance(action.metavar, str):
        if "|" in action.metavar and " " not in action.metavar:
            action.choices = action.metavar.split("|")
        elif action.metavar in ("FILE", "STUDY.yaml"):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar in ("DIR", "FOLDER"):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    if action.dest == "presets":
        action.choices = list(PRESETS)
