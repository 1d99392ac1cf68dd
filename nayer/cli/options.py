"""Flags from the settings: one for each field of `Config`. No other module defines them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from nayer.common.files import path_to_write
from nayer.config import GROUPS, MAX_SEED, settings
from nayer.earlier_versions import RENAMED_SETTINGS
from nayer.errors import ConfigError, excerpt
from nayer.presets import PRESETS
from nayer.settings import Setting, read_value


def add_base_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--preset` and `--config`: where the settings without a flag come from."""
    parser.add_argument(
        "--preset", metavar="|".join(PRESETS), help="Preset for all settings that have no flag (default: nayer)."
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=partial(path_to_write, "config"),
        help="Take the settings from a YAML file, such as run.yaml of an --out folder; flags override it.",
    )


def add_setting_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--generator-steps N`, `--flip` and `--no-flip`, and so on. A flag that is not given sets no value."""
    groups = {name: parser.add_argument_group(title) for name, title in GROUPS.items()}
    for setting in settings():
        group, flag = groups[setting.group], flag_of(setting.name)
        text = help_of(setting).replace("%", "%%")
        if setting.kind is bool:
            action = argparse.BooleanOptionalAction
            group.add_argument(flag, action=action, default=argparse.SUPPRESS, help=text)
        else:
            reader, metavar = partial(read_value, setting.kind), _metavar(setting)
            group.add_argument(flag, type=reader, metavar=metavar, default=argparse.SUPPRESS, help=text)
    _add_earlier_names(parser)


def _add_earlier_names(parser: argparse.ArgumentParser) -> None:
    """Accepts the flags of renamed settings, without help: commands of earlier versions contain them."""
    kinds = {setting.name: setting.kind for setting in settings()}
    for earlier, name in RENAMED_SETTINGS.items():
        reader = partial(read_value, kinds[name])
        parser.add_argument(flag_of(earlier), dest=name, type=reader, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def given_settings(arguments: argparse.Namespace) -> dict[str, object]:
    """The fields whose flags were given."""
    return {s.name: getattr(arguments, s.name) for s in settings() if hasattr(arguments, s.name)}


def value_of(setting: Setting, text: str) -> object:
    """A field's value from text; see `nayer.settings.read_value`."""
    return read_value(setting.kind, text)


def seeds_of(text: str) -> list[int]:
    """Seeds from a flag: whole numbers, separated by commas. Raises ConfigError for other text and repeated seeds."""
    try:
        seeds = [int(part) for part in text.split(",")]
        wrong = min(seeds) < 0 or max(seeds) > MAX_SEED
    except ValueError:
        wrong = True
    if wrong:
        raise ConfigError(
            f"seeds must be whole numbers from 0 to {MAX_SEED:,}, separated by commas; {excerpt(text)!r} was given."
        )
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"seeds={excerpt(text)!r} contains a seed twice; use each seed once.")
    return seeds


def count(field: str, low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number for a flag that is no setting. Raises ConfigError for other text or values."""

    def read(text: str) -> int:
        given = repr(excerpt(text))
        try:
            value = int(text)
            given = excerpt(value)
            if low <= value <= high:
                return value
        except ValueError:
            pass
        raise ConfigError(f"{field} must be a whole number from {low:,} to {high:,}; {given} was given.")

    return read


def number(field: str, low: float, high: float) -> Callable[[str], float]:
    """The same for a number that may have decimals."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if low <= value <= high:
            return value
        raise ConfigError(f"{field} must be a number from {low:g} to {high:g}; {excerpt(text)!r} was given.")

    return read


def flag_of(name: str) -> str:
    """The flag of a setting: `noisy_width` → `--noisy-width`."""
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
