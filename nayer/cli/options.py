"""Flags from the settings: one for each field of `Config`, written nowhere else."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from nayer.config import GROUPS, settings
from nayer.errors import ConfigError, shown
from nayer.settings import Setting

MAX_THREADS = 256


def add_setting_arguments(parser: argparse.ArgumentParser) -> None:
    """`--generator-steps N`, `--flip` and `--no-flip`, and so on; a flag that is not given leaves no trace."""
    groups = {name: parser.add_argument_group(title) for name, title in GROUPS.items()}
    for setting in settings():
        group, flag = groups[setting.group], flag_of(setting.name)
        text = help_of(setting).replace("%", "%%")
        if setting.kind is bool:
            action = argparse.BooleanOptionalAction
            group.add_argument(flag, action=action, default=argparse.SUPPRESS, help=text)
        else:
            reader, metavar = _reader(setting.kind), _metavar(setting)
            group.add_argument(flag, type=reader, metavar=metavar, default=argparse.SUPPRESS, help=text)


def given_settings(arguments: argparse.Namespace) -> dict[str, object]:
    """The fields whose flags were given."""
    return {s.name: getattr(arguments, s.name) for s in settings() if hasattr(arguments, s.name)}


def value_of(setting: Setting, text: str) -> object:
    """A field's value as somebody writes it; what is none stays a text, for `Config` to refuse in its own words."""
    if setting.kind is bool:
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)
    return _reader(setting.kind)(text)


def count(field: str, low: int, high: int) -> Callable[[str], int]:
    """For a flag that is no setting: reads a whole number, and raises ConfigError where it is none or out of bounds."""

    def read(text: str) -> int:
        told = repr(shown(text))
        try:
            value = int(text)
            told = shown(value)
            if low <= value <= high:
                return value
        except ValueError:
            pass
        raise ConfigError(f"{field}={told} does not work; use a whole number from {low} to {high}.")

    return read


def number(field: str, low: float, high: float) -> Callable[[str], float]:
    """Likewise for a number that need not be whole."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if low <= value <= high:
            return value
        raise ConfigError(f"{field}={shown(text)!r} does not work; use a number from {low:g} to {high:g}.")

    return read


def flag_of(name: str) -> str:
    return "--" + name.replace("_", "-")


def help_of(setting: Setting) -> str:
    """The setting's sentence, its bounds with their unit, and its default."""
    unit = f" {setting.unit}" if setting.unit else ""
    low, high = (f"{bound:.10g}" for bound in (setting.low or 0, setting.high or 0))
    bounds = "" if setting.low is None or setting.high is None else f"{low} to {high}{unit}; "
    default = (
        {True: "yes", False: "no"}.get(setting.default, setting.default) if setting.kind is bool else setting.default
    )
    return f"{setting.help} ({bounds}default: {default if default != '' else 'empty'})"


def _metavar(setting: Setting) -> str:
    if setting.choices:
        return "|".join(setting.choices)
    return {int: "N", float: "X"}.get(setting.kind, "TEXT")


def _reader(kind: type) -> Callable[[str], object]:
    """Text to the field's type; a text that is none stays one, for `Config` to refuse in its own words."""

    def read(text: str) -> object:
        try:
            value: object = kind(text)
            return value
        except ValueError:
            return text

    return read
