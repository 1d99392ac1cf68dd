"""The keys that the files of a comparison and of a study share. An error names the key, its value and what works."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from nayer.compare.experiments import Variation, grid
from nayer.compare.titles import MOST_CHARACTERS, check_name
from nayer.config import MAX_SEED, settings
from nayer.earlier_versions import RENAMED_SETTINGS, with_present_names
from nayer.errors import ConfigError, excerpt
from nayer.exports.config_file import check_keys, preset_and_changes

SEEDS = (0, 1, 2)  # of a file without seeds
Check = Callable[[Iterable[str], str], None]  # refuses names of settings; its second argument says where they are


@contextmanager
def errors_in(where: str) -> Iterator[None]:
    """A ConfigError of the block begins with `where`."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(str(error) if str(error).startswith(where) else f"{where}: {error}") from None


def variations_in(
    values: Mapping[str, Any], key: str, what: str, where: str, check: Check, most: int = MOST_CHARACTERS
) -> tuple[Variation, ...]:
    """A key whose value has a line for each arm: its title, and a mapping of settings, perhaps with `preset`.

    `what` is an arm in words. A title has at most `most` characters.
    """
    found = []
    for title, given in mapping_in(values, key, where).items():
        inside = f"{where}, {what} {excerpt(title)!r}"
        check_name(title, inside, most)
        changes = {} if given is None else mapping_in({"it": given}, "it", inside)
        preset, own = preset_and_changes(changes, inside)
        check(own, inside)
        found.append(Variation(title, preset, own))
    return tuple(found)


def varied_in(
    values: Mapping[str, Any],
    variations: tuple[Variation, ...],
    where: str,
    check: Check = lambda names, inside: None,
) -> tuple[Variation, ...]:
    """Each variation once for every value of the settings in the key `vary`."""
    inside = f"{where}, vary"
    for name, choices in with_present_names(mapping_in(values, "vary", where), RENAMED_SETTINGS).items():
        check_keys([name], [one.name for one in settings()], "a setting", inside)
        check([name], inside)
        variations = grid(variations, name, list_in({name: choices}, name, inside))
    return variations


def seeds_in(values: Mapping[str, Any], where: str) -> tuple[int, ...]:
    """The key `seeds`: a list of different whole numbers."""
    seeds = list_in(values, "seeds", where) if "seeds" in values else list(SEEDS)
    for seed in seeds:
        if not _is_whole(seed) or not 0 <= seed <= MAX_SEED:
            raise ConfigError(
                f"{where}: seeds must be whole numbers from 0 to {MAX_SEED:,}, such as [0, 1, 2]; {quoted(seed)} was "
                "given."
            )
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"{where}: seeds={quoted(seeds)} contains a seed twice; use each seed once.")
    return tuple(seeds)


def mapping_in(values: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """A key whose value is a mapping; an empty one if the key is missing."""
    found = values.get(name, {})
    if not isinstance(found, dict):
        raise ConfigError(f"{where}: {name} must be a mapping of the form `name: value`; {quoted(found)} was given.")
    return found


def list_in(values: Mapping[str, Any], name: str, where: str) -> list[Any]:
    """A key whose value is a list with at least one entry."""
    found = values[name]
    if not isinstance(found, list) or not found:
        raise ConfigError(f"{where}: {name} must be a list such as [a, b]; {quoted(found)} was given.")
    return found


def number_in(values: Mapping[str, Any], name: str, where: str, kind: type, most: float) -> float:
    """A key whose value is a number from 0 to `most`; 0 if it is missing. `kind` is int or float."""
    found = values.get(name, 0)
    if (_is_whole(found) or (kind is float and isinstance(found, float))) and 0 <= found <= most:
        return float(found)
    noun = "a whole number" if kind is int else "a number"
    raise ConfigError(f"{where}: {name} must be {noun} from 0 to {most:,g}; {quoted(found)} was given.")


def choice_in(values: Mapping[str, Any], name: str, where: str, choices: Sequence[str]) -> str:
    """A key whose value is one of a few words; the first of them if it is missing."""
    found = values.get(name, choices[0])
    if found not in choices:
        raise ConfigError(f"{where}: {name} must be one of {', '.join(choices)}; {quoted(found)} was given.")
    return str(found)


def quoted(value: object) -> str:
    """A value of the file for an error."""
    return excerpt(repr(value))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
