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

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nayer.common.yaml_file import bare, read_yaml
from nayer.compare.experiments import Variation, arms_of, check_own, experiment, of_presets
from nayer.compare.file_keys import (
    SEEDS,
    choice_in,
    errors_in,
    list_in,
    mapping_in,
    number_in,
    quoted,
    seeds_in,
    variations_in,
    varied_in,
)
from nayer.compare.outcome import CLOCKS
from nayer.compare.titles import MOST_IN_A_NAME, check_amount
from nayer.errors import ConfigError, excerpt
from nayer.exports.config_file import PRESET, check_keys, preset_and_changes
from nayer.runs.thread_budget import MAX_THREADS

SWEEP_FILE = "sweep.yaml"
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
    with errors_in(where):
        shared = _shared(values, where)
        seeds, variations = seeds_in(values, where), varied_in(values, _variations(values, where), where)
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


def _shared(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    inside = f"{where}, shared"
    shared = mapping_in(values, "shared", where)
    if PRESET in shared:
        raise ConfigError(f"{inside}: preset={quoted(shared[PRESET])} belongs to an arm; use arms or presets.")
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
    found = variations_in(values, "arms", "arm", where, lambda names, inside: check_own(names), MOST_IN_A_NAME)
    if not found:
        raise ConfigError(f"{where}: arms is empty; give each arm a line such as `NAYER: {{preset: nayer}}`.")
    return found
