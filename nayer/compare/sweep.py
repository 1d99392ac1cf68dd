"""A comparison as a file of YAML: arms × seeds, the settings that all arms share, and what ends a run.

    seeds: [0, 1, 2]
    shared: {teacher: digits, work: 1000}
    arms:
      NAYER: {preset: nayer}
      one-hot: {latent: one-hot}

`presets: [nayer, dfq]` or `experiment: reset` can stand in place of `arms`. `vary: {student_lr: [0.02, 0.05]}` runs
each arm once for every value. `calibrate` (seconds), `clock` and `threads` are the flags of the same names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nayer.common.yaml_file import bare, read_yaml
from nayer.compare.experiments import Variation, arms_of, check_own, experiment, grid, of_presets
from nayer.compare.outcome import CLOCKS
from nayer.compare.titles import MOST_IN_A_NAME, check_amount, check_name
from nayer.config import MAX_SEED, settings
from nayer.errors import ConfigError, excerpt
from nayer.exports.config_file import PRESET, check_keys, preset_and_changes
from nayer.runs.thread_budget import MAX_THREADS

SWEEP_FILE = "sweep.yaml"
SEEDS = (0, 1, 2)
MAX_SECONDS = 864_000.0
NAMES_ARMS = ("arms", "presets", "experiment")
KEYS = ("seeds", "shared", *NAMES_ARMS, "vary", "calibrate", "clock", "threads")
_INSTEAD = "docs/command-line.md shows a file that works"


@dataclass(frozen=True)
class Sweep:
    """What `compare` runs: each variation with each seed."""

    variations: tuple[Variation, ...]
    shared: Mapping[str, object] = field(default_factory=dict)  # settings of all arms
    seeds: tuple[int, ...] = SEEDS
    calibrate: float = 0.0  # seconds for which rounds are planned; 0 for equal work
    clock: str = "wall"
    threads: int = 0  # 0 leaves the number to torch


def read_sweep(path: Path) -> Sweep:
    """The sweep in a file. Raises ConfigError in one sentence with the name, the value and what works."""
    return sweep_in(read_yaml(path, "config", instead=_INSTEAD), f"config={excerpt(path, 200)!r}")


def sweep_in(values: Mapping[str, Any], where: str) -> Sweep:
    """The sweep in a mapping of a file. An error begins with `where`."""
    check_keys(values, KEYS, "a key of a comparison", where)
    try:
        shared = _shared(values, where)
        seeds, variations = seeds_in(values, where), _variations(values, where)
        for name, choices in mapping_in(values, "vary", where).items():
            check_keys([name], [one.name for one in settings()], "a setting", f"{where}, vary")
            variations = grid(variations, name, list_in({name: choices}, name, f"{where}, vary"))
        check_amount("a comparison", [len(variations)], len(seeds))
        arms_of(variations, shared)  # so that a wrong value is known before hours of work
        return Sweep(
            variations=variations,
            shared=shared,
            seeds=seeds,
            calibrate=float(number_in(values, "calibrate", where, float, MAX_SECONDS)),
            clock=choice_in(values, "clock", where, tuple(CLOCKS)),
            threads=int(number_in(values, "threads", where, int, MAX_THREADS)),
        )
    except ConfigError as error:
        raise ConfigError(str(error) if str(error).startswith(where) else f"{where}: {error}") from None


def written_sweep(sweep: Sweep) -> str:
    """The file that `read_sweep` reads as `sweep`."""
    shared = "".join(f"  {name}: {bare(value)}\n" for name, value in sweep.shared.items())
    arms = "".join(
        f"  {bare(one.title)}:\n    {PRESET}: {bare(one.preset)}\n"
        + "".join(f"    {name}: {bare(value)}\n" for name, value in one.changes.items())
        for one in sweep.variations
    )
    return (
        "# A comparison: every arm with every seed. This command repeats it:\n#\n"
        f"#     python -m nayer compare --config {SWEEP_FILE} --out FOLDER\n\n"
        f"seeds: {bare(sweep.seeds)}\n"
        + (f"# Seconds for which rounds are planned.\ncalibrate: {bare(sweep.calibrate)}\n" if sweep.calibrate else "")
        + f"clock: {sweep.clock}\n# 0 leaves the number of threads to torch.\nthreads: {sweep.threads}\n\n"
        + (f"# Settings of all arms.\nshared:\n{shared}\n" if shared else "")
        + f"arms:\n{arms}"
    )


def seeds_in(values: Mapping[str, Any], where: str) -> tuple[int, ...]:
    """The key `seeds`: a list of different whole numbers."""
    seeds = list_in(values, "seeds", where) if "seeds" in values else list(SEEDS)
    for seed in seeds:
        if not _is_whole(seed) or not 0 <= seed <= MAX_SEED:
            raise ConfigError(
                f"{where}: seeds must be whole numbers from 0 to {MAX_SEED:,}, such as [0, 1, 2]; {_quoted(seed)} was "
                "given."
            )
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"{where}: seeds={_quoted(seeds)} contains a seed twice; use each seed once.")
    return tuple(seeds)


def mapping_in(values: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """A key whose value is a mapping; an empty one if the key is missing."""
    found = values.get(name, {})
    if not isinstance(found, dict):
        raise ConfigError(f"{where}: {name} must be a mapping of the form `name: value`; {_quoted(found)} was given.")
    return found


def list_in(values: Mapping[str, Any], name: str, where: str) -> list[Any]:
    """A key whose value is a list with at least one entry."""
    found = values[name]
    if not isinstance(found, list) or not found:
        raise ConfigError(f"{where}: {name} must be a list such as [a, b]; {_quoted(found)} was given.")
    return found


def number_in(values: Mapping[str, Any], name: str, where: str, kind: type, most: float) -> float:
    """A key whose value is a number from 0 to `most`; 0 if it is missing. `kind` is int or float."""
    found = values.get(name, 0)
    if (_is_whole(found) or (kind is float and isinstance(found, float))) and 0 <= found <= most:
        return float(found)
    noun = "a whole number" if kind is int else "a number"
    raise ConfigError(f"{where}: {name} must be {noun} from 0 to {most:,g}; {_quoted(found)} was given.")


def choice_in(values: Mapping[str, Any], name: str, where: str, choices: Sequence[str]) -> str:
    """A key whose value is one of a few words; the first of them if it is missing."""
    found = values.get(name, choices[0])
    if found not in choices:
        raise ConfigError(f"{where}: {name} must be one of {', '.join(choices)}; {_quoted(found)} was given.")
    return str(found)


def _shared(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    inside = f"{where}, shared"
    shared = mapping_in(values, "shared", where)
    if PRESET in shared:
        raise ConfigError(f"{inside}: preset={_quoted(shared[PRESET])} belongs to an arm; use arms or presets.")
    return preset_and_changes(shared, inside)[1]


def _variations(values: Mapping[str, Any], where: str) -> tuple[Variation, ...]:
    named = [name for name in NAMES_ARMS if name in values]
    if len(named) != 1:
        given = f"both {named[0]} and {named[1]}" if named else "none of them"
        raise ConfigError(f"{where}: arms, presets or experiment must name the arms; the file has {given}.")
    if named == ["experiment"]:
        return experiment(str(values["experiment"])).variations
    if named == ["presets"]:
        return of_presets([str(one) for one in list_in(values, "presets", where)])
    found = []
    for title, changes in mapping_in(values, "arms", where).items():
        inside = f"{where}, arm {excerpt(title)!r}"
        check_name(title, inside, MOST_IN_A_NAME)
        arm = {} if changes is None else mapping_in({"it": changes}, "it", inside)
        preset, own = preset_and_changes(arm, inside)
        check_own(own)
        found.append(Variation(title, preset, own))
    if not found:
        raise ConfigError(f"{where}: arms is empty; give each arm a line such as `NAYER: {{preset: nayer}}`.")
    return tuple(found)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _quoted(value: object) -> str:
    return excerpt(repr(value))
