"""`python -m nayer compare`: runs arms × seeds one after the other with equal budgets, and resumes after a stop."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from nayer.cli.executor import add_executor_arguments, executor_of, run_options_of, set_threads
from nayer.cli.exit_codes import DONE, FAILED
from nayer.cli.memory import add_memory_argument, check_runs
from nayer.cli.options import add_setting_arguments, count, given_settings, seeds_of, value_of
from nayer.cli.run_table import run_missing
from nayer.cluster.jobs import Executor
from nayer.common.extras import needs_package
from nayer.common.files import check_ours, check_places, claimed, path_to_write, write_whole
from nayer.compare.experiments import EXPERIMENTS, Arm, Variation, arms_of, experiment, grid, of_presets
from nayer.compare.file_keys import SEEDS
from nayer.compare.outcome import CLOCKS, Outcome
from nayer.compare.outcome_folder import RUNS, OutcomeFolder
from nayer.compare.planning import PLAN, calibrated
from nayer.compare.run_jobs import RunOptions
from nayer.compare.sweep import SWEEP_FILE, Sweep, read_sweep, written_sweep
from nayer.compare.tables import markdown, table
from nayer.compare.titles import check_amount, check_titles
from nayer.config import settings
from nayer.earlier_versions import RENAMED_SETTINGS
from nayer.errors import ConfigError
from nayer.presets import PRESETS
from nayer.runs.thread_budget import MAX_THREADS

WRITTEN = (TABLE_FOR_PEOPLE, TABLE, CURVES, SAMPLES) = ("table.md", "table.csv", "curves.png", "samples.png")
WORK = 1000.0  # 10⁹ multiply-adds for each arm by default: about a minute on one core
_IN_THE_FILE = ("presets", "experiment", "seeds", "vary", "calibrate", "clock", "threads")


def add_compare_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `compare_command`: its own, and a flag for each setting that all arms share."""
    parser.usage = (
        "%(prog)s --out DIR (--presets NAME,… | --experiment NAME | --config FILE) [--teacher NAME] [--seeds N,…] "
        "[--work X | --calibrate SECONDS] …"
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=partial(path_to_write, "config"),
        help="Take arms, seeds and shared settings from a YAML file, such as sweep.yaml of an --out folder.",
    )
    parser.add_argument(
        "--presets", metavar="NAME,…", help="One arm for each of these presets: " + ", ".join(PRESETS) + "."
    )
    parser.add_argument("--experiment", metavar="|".join(EXPERIMENTS), help="A ready-made set of arms.")
    parser.add_argument(
        "--seeds",
        metavar="N,N,…",
        help="Random seeds; each arm runs once per seed (default: 0,1,2).",
    )
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="FIELD=A,B,…",
        help="Run each arm once for every value; can be given several times.",
    )
    parser.add_argument(
        "--calibrate",
        type=float,
        metavar="SECONDS",
        help=(
            "Equal time instead of equal work: time a few rounds of each arm, plan the rounds that take SECONDS, and "
            "run exactly those."
        ),
    )
    parser.add_argument(
        "--clock",
        choices=tuple(CLOCKS),
        help=(
            "Clock that counts the seconds: wall time, or processor time, which other programs hardly affect "
            "(default: wall)."
        ),
    )
    parser.add_argument(
        "--threads",
        type=count("threads", 0, MAX_THREADS),
        metavar="N",
        help="Threads of a run; 0 leaves the number to torch (default: 0).",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=partial(path_to_write, "out"),
        required=True,
        help="Folder for outcomes, table, curves and samples.",
    )
    add_memory_argument(parser)
    add_executor_arguments(parser)
    add_setting_arguments(parser)


def compare_command(arguments: argparse.Namespace) -> int:
    """Runs what is missing in DIR, then writes the table and the pictures. Returns 1 if an arm failed."""
    if sentence := needs_package("compare", "scipy", "matplotlib"):
        raise ConfigError(sentence)  # before hours of runs, after which the pictures could not be drawn
    sweep = _sweep(arguments)
    shared, clock = sweep.shared, sweep.clock
    if "seed" in shared:
        raise ConfigError(f"seed={shared['seed']!r} is not used by compare; use --seeds {shared['seed']}.")
    if "seconds" in shared:
        raise ConfigError(
            f"seconds={shared['seconds']!r} is not used by compare, because a run that a clock ends cannot be "
            f"repeated; use --work for equal work, or --calibrate {shared['seconds']} for equal time."
        )
    if sweep.calibrate and shared.keys() & {"rounds", "work"}:
        raise ConfigError("calibrate plans the rounds itself; leave out --rounds and --work.")
    if not sweep.calibrate and "rounds" not in shared:
        shared = {"work": WORK, **shared}
    arms = arms_of(sweep.variations, shared)
    check_runs([arm.config for arm in arms], arguments)
    set_threads(sweep.threads, clock)
    options = run_options_of(arguments, clock, sweep.threads)
    folder = OutcomeFolder(arguments.out, clock, options.threads)
    with claimed(arguments.out), executor_of(arguments) as executor:
        _check_folder(arguments.out)
        if sweep.calibrate:
            arms = calibrated(arms, sweep.calibrate, options, executor, arguments.out)
        runs = [(arm, seed) for seed in sweep.seeds for arm in arms]
        folder.missing(runs)  # refuses a folder that does not fit, before anything is written
        write_whole(arguments.out / SWEEP_FILE, written_sweep(sweep).encode())
        outcomes = _compared(runs, folder, options, executor)
    sys.stdout.write(markdown(outcomes))
    return FAILED if any(one.failure for one in outcomes) else DONE


def _check_folder(folder: Path) -> None:
    """Raises StorageError for a folder with other things in it, which the comparison would replace."""
    check_places(folder, (SWEEP_FILE, PLAN, *WRITTEN), (RUNS,))
    ours = any(os.path.lexists(folder / name) for name in (SWEEP_FILE, RUNS))
    check_ours("out", folder, ours, (*WRITTEN, PLAN), "a comparison")
    check_ours("out", folder, False, ("study.yaml",), "a comparison")


def _compared(
    runs: Sequence[tuple[Arm, int]], folder: OutcomeFolder, options: RunOptions, executor: Executor
) -> list[Outcome]:
    """The outcomes of all runs. Reads those that the folder has, and writes the missing ones into it."""
    outcomes = run_missing(runs, folder, options, executor, partial(_write_tables, folder.folder))
    _write_pictures(folder, outcomes)
    return outcomes


def _write_tables(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Writes the tables after each run, so that an interrupted comparison has a table too."""
    write_whole(folder / TABLE_FOR_PEOPLE, markdown(outcomes).encode())
    write_whole(folder / TABLE, table(outcomes).encode())


def _write_pictures(folder: OutcomeFolder, outcomes: Sequence[Outcome]) -> None:
    from nayer.compare import charts  # matplotlib takes a second, and only pictures need it

    write_whole(folder.folder / CURVES, charts.curves(outcomes))
    first = {one.arm: one for one in reversed(outcomes)}
    grids = {}
    for arm in dict.fromkeys(one.arm for one in outcomes):
        grids[arm if first[arm].wants_labels else f"{arm} (without labels)"] = folder.samples(first[arm])
    classes = next((one.classes for one in outcomes if one.classes), [])
    write_whole(folder.folder / SAMPLES, charts.samples(grids, classes))


def _sweep(arguments: argparse.Namespace) -> Sweep:
    """What to run, from the flags or from a file whose shared settings the flags override."""
    given = given_settings(arguments)
    if arguments.config:
        for flag in _IN_THE_FILE:
            if (value := getattr(arguments, flag)) not in (None, []):
                raise ConfigError(f"{flag}={value!r} cannot be used with --config; write {flag} into the file.")
        sweep = read_sweep(arguments.config)
        sweep = replace(sweep, shared={**sweep.shared, **given})
    else:
        sweep = Sweep(
            variations=_variations(arguments),
            shared=given,
            seeds=SEEDS if arguments.seeds is None else tuple(seeds_of(arguments.seeds)),
            calibrate=arguments.calibrate or 0.0,
            clock=arguments.clock or "wall",
            threads=arguments.threads or 0,
        )
    check_titles([one.title for one in sweep.variations], "name each arm once")
    check_amount("a comparison", [len(sweep.variations)], len(sweep.seeds))
    return sweep


def _variations(arguments: argparse.Namespace) -> tuple[Variation, ...]:
    if bool(arguments.presets) == bool(arguments.experiment):
        raise ConfigError("compare needs --presets or --experiment, or --config; they name its arms.")
    if arguments.experiment:
        variations = experiment(arguments.experiment).variations
    else:
        variations = of_presets(arguments.presets.split(","))
    for given in arguments.vary:
        variations = grid(variations, *_varied(given))
    return variations


def _varied(given: str) -> tuple[str, list[object]]:
    name, _, values = given.partition("=")
    name = name.replace("-", "_")
    field = next((one for one in settings() if one.name == RENAMED_SETTINGS.get(name, name)), None)
    if field is None or not values:
        raise ConfigError(
            f"vary must be a setting's name, =, and values separated by commas; {given[:60]!r} was given."
        )
    return field.name, [value_of(field, value) for value in values.split(",")]
