"""`python -m nayer list`: what there is to choose from."""

from __future__ import annotations

import argparse

from rich.table import Table

from nayer.cli.console import Terminal
from nayer.cli.options import flag_of, help_of
from nayer.config import settings
from nayer.errors import ConfigError
from nayer.networks.cards import teacher_cards
from nayer.presets import PRESETS, get


def add_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `list_command`."""
    parser.add_argument("what", metavar="|".join(LISTS), help="What to show.")
    parser.add_argument(
        "--preset", default="nayer", metavar="NAME", help="Preset whose settings are shown (default: %(default)s)."
    )


def list_command(arguments: argparse.Namespace) -> int:
    """Prints a table. Returns 0 on success. Raises ConfigError for a list or preset that does not exist."""
    if arguments.what not in LISTS:
        raise ConfigError(f"list must be one of {', '.join(LISTS)}; {arguments.what[:60]!r} was given.")
    get(arguments.preset)
    Terminal().print(LISTS[arguments.what](arguments.preset))
    return 0


def _teachers(preset: str) -> Table:
    table = Table("name", "classes", "test accuracy", "network", "smaller student", "data")
    for card in teacher_cards():
        accuracy = "–" if card.test_accuracy is None else f"{card.test_accuracy:.1%}"
        if card.robust:
            accuracy += f" ({card.robust.accuracy:.1%} at ε = {card.robust.epsilon:g})"
        table.add_row(
            card.name, str(len(card.classes)), accuracy, card.model.architecture, card.student.architecture, card.data
        )
    return table


def _presets(preset: str) -> Table:
    table = Table("name", "title", "what it is", "paper")
    for name, method in PRESETS.items():
        table.add_row(name, method.title, method.summary, method.paper)
    return table


def _settings(preset: str) -> Table:
    config = get(preset).config
    table = Table("flag", f"value in {preset}", "what it is")
    for setting in settings():
        table.add_row(flag_of(setting.name), str(getattr(config, setting.name)), help_of(setting))
    return table


LISTS = {"teachers": _teachers, "presets": _presets, "settings": _settings}
