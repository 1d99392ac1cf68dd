"""A run as a file of YAML: every setting with its help, unit and bounds, and read back strictly."""

from __future__ import annotations

import difflib
import shlex
import textwrap
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from nayer import presets
from nayer.common.yaml_file import bare, read_yaml
from nayer.config import GROUPS, Config, settings
from nayer.earlier_versions import RENAMED_SETTINGS, RETIRED, with_present_names
from nayer.errors import ConfigError, excerpt
from nayer.exports.reproduce import nearest_preset
from nayer.settings import what_works

RUN_FILE = "run.yaml"
PRESET = "preset"
_INSTEAD = "`python -m nayer config` writes a file that works"
MOST_LISTED = 20  # names in an error
_WIDTH = 110  # of the comments, in characters

_HEAD = """\
# A run of data-free distillation. This command repeats it:
#
#     python -m nayer distill --config {name}
#
# Flags of the command override the file. A line may be left out: the value is then that of the preset nayer, or of
# another one that a line such as `{preset}: nayer-turbo` names.
{nearest}"""


def read_config(path: Path) -> Config:
    """The config in a file: settings by name, and `preset` for those that are left out (default: nayer).

    Raises ConfigError in one sentence with the name, the value and what works.
    """
    return config_in(read_yaml(path, "config", instead=_INSTEAD), f"config={excerpt(path, 200)!r}")


def config_in(values: Mapping[str, Any], where: str) -> Config:
    """The config in a mapping of a file: settings by name, perhaps `preset`. An error begins with `where`."""
    preset, changes = preset_and_changes(values, where)
    try:
        return Config.parse(changes, base=presets.get(preset).config)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def preset_and_changes(values: Mapping[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    """The preset's name and the settings in a mapping of a file. Raises ConfigError for other names, before values."""
    known, values = [PRESET, *(one.name for one in settings())], with_present_names(values, RENAMED_SETTINGS)
    check_keys([name for name in values if name not in RETIRED], known, "a setting", where)
    preset = values.get(PRESET, next(iter(presets.PRESETS)))
    if not isinstance(preset, str):
        raise ConfigError(f"{where}: preset must be one of {', '.join(presets.PRESETS)}; {preset!r} was given.")
    try:
        presets.get(preset)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    return preset, {name: value for name, value in values.items() if name != PRESET}


def check_keys(names: Iterable[str], known: Collection[str], kind: str, where: str) -> None:
    """Raises ConfigError for a name that is not `known`. The sentence says that it is not `kind`, and what works."""
    for name in names:
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, 1)
        if near:
            hint = f"the nearest is {near[0]}"
        elif len(known) > MOST_LISTED:
            hint = "`python -m nayer list settings` shows all"
        else:
            hint = f"use {', '.join(known)}"
        raise ConfigError(f"{where}: {excerpt(name)!r} is not {kind}; {hint}.")


def written(config: Config, name: str = RUN_FILE) -> str:
    """The file that `read_config` reads as `config`: every setting by group, with comments. `name` is for the text."""
    preset, changes = nearest_preset(config)
    nearest = f"The nearest preset is {preset}. " + (
        "Settings that differ: " + ", ".join(changes) + "." if changes else ""
    )
    preset_values = presets.get(preset).config
    parts = [_HEAD.format(name=shlex.quote(name), preset=PRESET, nearest=as_comment(nearest))]
    for group, title in GROUPS.items():
        parts.append(f"\n# --- {title} ---\n")
        for one in settings():
            if one.group != group:
                continue
            value, usual = getattr(config, one.name), getattr(preset_values, one.name)
            note = "" if value == usual or one.name in ("teacher", "seed") else f" The preset has {bare(usual)}."
            limits = "" if one.kind is str and not one.choices else what_works(one)
            comment = f"{one.help} {limits[:1].upper()}{limits[1:]}{'.' if limits else ''}{note}"
            parts.append(f"\n{as_comment(comment)}{one.name}: {bare(value)}\n")
    return "".join(parts)


def as_comment(text: str) -> str:
    """`text` as comment lines."""
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False))
