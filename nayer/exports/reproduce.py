"""Writes a config in a form that repeats its run: the shortest command line, or words in an address. Needs no torch."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from nayer import presets
from nayer.config import Config, settings
from nayer.earlier_versions import RENAMED_SETTINGS, RETIRED, with_present_names
from nayer.settings import read_value

_ESCAPED = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_EVERYWHERE = ("teacher", "seed")  # always written


def nearest_preset(config: Config) -> tuple[str, dict[str, object]]:
    """The preset with the fewest changes to `config`, and the changes by name, except teacher and seed."""
    wanted = config.model_dump()

    def changes(preset: str) -> dict[str, object]:
        given = presets.get(preset).config.model_dump()
        return {name: wanted[name] for name in wanted if name not in _EVERYWHERE and wanted[name] != given[name]}

    preset = min(presets.PRESETS, key=lambda name: len(changes(name)))  # the first one if several are equal
    return preset, changes(preset)


def command_line(config: Config) -> str:
    """The command that runs it again: `python -m nayer distill` with the preset and every flag that differs from it."""
    preset, changes = nearest_preset(config)
    flags = [f"--teacher {_quoted(config.teacher)}", f"--preset {preset}", f"--seed {config.seed}"]
    for name, value in changes.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(f"--{'' if value else 'no-'}{flag}")
        else:
            flags.append(f"--{flag}={_quoted(str(value))}")
    return "python -m nayer distill " + " ".join(flags)


def _quoted(text: str) -> str:
    """The text for a shell, always in one line: a second line would end the comment or the fence around a command.

    The form for line breaks, $'…', is that of bash, zsh and POSIX 2024.
    """
    if len(f"{text}.".splitlines()) == 1:
        return shlex.quote(text)
    escaped = "".join(_ESCAPED.get(one) or (one if one.isprintable() else f"\\U{ord(one):08x}") for one in text)
    return f"$'{escaped}'"


def words(config: Config) -> dict[str, str]:
    """The same information as pairs for an address. `config_of` reads them."""
    preset, changes = nearest_preset(config)
    return {"teacher": config.teacher, "preset": preset, "seed": str(config.seed)} | {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in changes.items()
    }


def config_of(given: Mapping[str, str]) -> tuple[str, Config]:
    """The preset and the config from the pairs that `words` made. Ignores words that belong to no setting.

    Raises ConfigError in one sentence for a value that is not valid.
    """
    preset = given.get("preset", next(iter(presets.PRESETS)))
    kinds = {setting.name: setting.kind for setting in settings()}
    kinds |= {name: type(value) for name, (value, _) in RETIRED.items()}
    present = with_present_names(given, RENAMED_SETTINGS)
    values = {name: read_value(kinds[name], text) for name, text in present.items() if name in kinds}
    return preset, Config.parse(values, presets.get(preset).config)


def known(config: Mapping[str, object]) -> Config:
    """The config of a recorded run, without settings that this version lacks. Raises ConfigError for other errors."""
    names = {setting.name for setting in settings()} | RETIRED.keys()
    present = with_present_names(config, RENAMED_SETTINGS)
    return Config.parse({name: value for name, value in present.items() if name in names})
