"""`python -m nayer compare`: runs arms × seeds one after the other with equal budgets, and resumes after a stop."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from nayer.cli.exit_codes import DONE, FAILED
from nayer.cli.memory import add_memory_argument, check_runs
from nayer.cli.options import MAX_THREADS, add_setting_arguments, count, given_settings, seeds_of, value_of
from nayer.cli.place import order_of, place_of, set_threads
from nayer.cli.run_table import run_missing
from nayer.cluster.places import Place
from nayer.common.files import claimed, path_to_write, write_whole
from nayer.compare.experiments import EXPERIMENTS, Arm, Variation, arms_of, experiment, grid, of_presets
from nayer.compare.outcome import CLOCKS, Outcome
from nayer.compare.outcome_folder import OutcomeFolder, slug
from nayer.compare.planning import calibrated
from nayer.compare.sittings import Order
from nayer.compare.tables import markdown, table
from nayer.config import settings
from nayer.errors import ConfigError
from nayer.presets import PRESETS

WORK = 1000.0  # 10⁹ multiply-adds for each arm by default: about a minute on one core


def add_compare_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `compare_command`: its own, and a flag for each setting that all arms share."""
    parser.usage = (
        "%(prog)s --out DIR (--presets NAME,… | --experiment NAME) [--teacher NAME] [--seeds N,…] "
        "[--work X | --calibrate SECONDS] …"
    )
    parser.add_argument(
        "--presets", metavar="NAME,…", help="One arm for each of these presets: " + ", ".join(PRESETS) + "."
    )
    parser.add_argument("--experiment", metavar="|".join(EXPERIMENTS), help="A ready-made set of arms.")
    parser.add_argument(
        "--seeds",
        default="0,1,2",
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
        default=0.0,
        metavar="SECONDS",
        help=(
            "Equal time instead of equal work: time a few rounds of each arm, plan the rounds that take SECONDS, and "
            "run exactly those."
        ),
    )
    parser.add_argument(
        "--clock",
        choices=tuple(CLOCKS),
        default="wall",
        help=(
            "Clock that counts the seconds: wall time, or processor time, which other programs hardly affect "
            "(default: wall)."
        ),
    )
    parser.add_argument(
        "--threads",
        type=count("threads", 0, MAX_THREADS),
        default=0,
        metavar="N",
        help="Threads of a run; 0 leaves the number to torch.",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=partial(path_to_write, "out"),
        required=True,
        help="Folder for outcomes, table, curves and samples.",
    )
    add_memory_argument(parser)
    add_setting_arguments(parser)


def compare_command(arguments: argparse.Namespace) -> int:
    """Runs what is missing in DIR, then writes the table and the pictures. Returns 1 if an arm failed."""
    seeds, shared, clock = seeds_of(arguments.seeds), given_settings(arguments), arguments.clock
    if "seed" in shared:
        raise ConfigError(f"seed={shared['seed']!r} is not used by compare; use --seeds {shared['seed']}.")
    if "seconds" in shared:
        raise ConfigError(
            f"seconds={shared['seconds']!r} is not used by compare, because a run that a clock ends cannot be "
            f"repeated; use --work for equal work, or --calibrate {shared['seconds']} for equal time."
        )
    if arguments.calibrate and shared.keys() & {"rounds", "work"}:
        raise ConfigError("calibrate plans the rounds itself; leave out --rounds and --work.")
    if not arguments.calibrate and "rounds" not in shared:
        shared = {"work": WORK, **shared}
    arms = arms_of(_variations(arguments), shared)
    check_runs([arm.config for arm in arms], arguments)
    set_threads(arguments.threads, clock)
    order = order_of(arguments, clock, arguments.threads)
    folder = OutcomeFolder(arguments.out, clock, order.threads)
    with claimed(arguments.out), place_of(arguments) as place:
        if arguments.calibrate:
            arms = calibrated(arms, arguments.calibrate, order, place, arguments.out)
        runs = [(arm, seed) for seed in seeds for arm in arms]
        outcomes = _compared(runs, folder, order, place)
    sys.stdout.write(markdown(outcomes))
    return FAILED if any(one.failure for one in outcomes) else DONE


def _compared(runs: Sequence[tuple[Arm, int]], folder: OutcomeFolder, order: Order, place: Place) -> list[Outcome]:
    """The outcomes of all runs. Reads those that the folder has, and writes the missing ones into it."""
    outcomes = run_missing(runs, folder, order, place, partial(_write_tables, folder.folder))
    _write_pictures(folder, outcomes)
    return outcomes


def _write_tables(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Writes the tables after each run, so that an interrupted comparison has a table too."""
    write_whole(folder / "table.md", markdown(outcomes).encode())
    write_whole(folder / "table.csv", table(outcomes).encode())


def _write_pictures(folder: OutcomeFolder, outcomes: Sequence[Outcome]) -> None:
    from nayer.compare import charts  # matplotlib takes a second, and only pictures need it

    write_whole(folder.folder / "curves.png", charts.curves(outcomes))
    first = {one.arm: one for one in reversed(outcomes)}
    grids = {}
    for arm in dict.fromkeys(one.arm for one in outcomes):
        grids[arm if first[arm].wants_labels else f"{arm} (without labels)"] = folder.samples(first[arm])
    classes = next((one.classes for one in outcomes if one.classes), [])
    write_whole(folder.folder / "samples.png", charts.samples(grids, classes))


def _variations(arguments: argparse.Namespace) -> tuple[Variation, ...]:
    if bool(arguments.presets) == bool(arguments.experiment):
        raise ConfigError("compare needs --presets or --experiment; they name its arms.")
    if arguments.experiment:
        variations = experiment(arguments.experiment).variations
    else:
        variations = of_presets(arguments.presets.split(","))
    for given in arguments.vary:
        variations = grid(variations, *_varied(given))
    slugs = [slug(one.title) for one in variations]
    twice = next((one.title for one, slug in zip(variations, slugs, strict=True) if slugs.count(slug) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice!r} is given twice; name each arm once.")
    return variations


def _varied(given: str) -> tuple[str, list[object]]:
    name, _, values = given.partition("=")
    field = next((one for one in settings() if one.name == name.replace("-", "_")), None)
    if field is None or not values:
        raise ConfigError(
            f"vary must be a setting's name, =, and values separated by commas; {given[:60]!r} was given."
        )
    return field.name, [value_of(field, value) for value in values.split(",")]
