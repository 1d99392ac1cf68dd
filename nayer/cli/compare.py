"""`python -m nayer compare`: runs arms × seeds one after the other with equal budgets, and resumes after a stop."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from nayer.cli.console import Terminal
from nayer.cli.exit_codes import DONE, FAILED
from nayer.cli.memory import add_memory_argument, check_runs
from nayer.cli.options import add_setting_arguments, count, given_settings, seeds_of, value_of
from nayer.common.files import claimed, path_to_write, read_file, write_whole
from nayer.compare.calibration import Plan, planned, read_plan, write_plan
from nayer.compare.experiments import EXPERIMENTS, Arm, Variation, arms_of, experiment, grid, of_presets
from nayer.compare.outcome import CLOCKS, Outcome, observed, read, write
from nayer.compare.sweep import SEEDS, SWEEP_FILE, Sweep, read_sweep, written_sweep
from nayer.compare.tables import markdown, table
from nayer.config import Config, settings
from nayer.errors import ConfigError
from nayer.exports.metrics_table import Record
from nayer.presets import PRESETS
from nayer.runs.thread_budget import MAX_THREADS
from nayer.types import Images

WORK = 1000.0  # 10⁹ multiply-adds for each arm by default: about a minute on one core
_IN_THE_FILE = ("presets", "experiment", "seeds", "vary", "calibrate", "clock", "threads")
ROUNDS_SHOWN = 4  # newest rounds of samples an arm has in the grid
MAX_SAMPLES_BYTES, MAX_SAMPLES_PIXELS = 64 << 20, 1 << 25  # of a picture of them


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
    add_setting_arguments(parser)


def compare_command(arguments: argparse.Namespace) -> int:
    """Runs what is missing in DIR, then writes the table and the pictures. Returns 1 if an arm failed."""
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
    _set_threads(sweep.threads, clock)
    with claimed(arguments.out):
        if sweep.calibrate:
            arms = _calibrated(arms, sweep.calibrate, clock, arguments.out)
        runs = [(arm, seed) for seed in sweep.seeds for arm in arms]
        _check_kept(runs, clock, arguments.out)
        write_whole(arguments.out / SWEEP_FILE, written_sweep(sweep).encode())
        outcomes = _compared(runs, clock, arguments.out)
    sys.stdout.write(markdown(outcomes))
    return FAILED if any(one.failure for one in outcomes) else DONE


def _compared(runs: Sequence[tuple[Arm, int]], clock: str, folder: Path) -> list[Outcome]:
    """The outcomes of all runs. Reads those that the folder has, and writes the missing ones into it."""
    console = Terminal(stderr=True, highlight=False)
    outcomes: list[Outcome] = []
    for arm, seed in runs:
        outcome = _kept(arm, seed, clock, folder)
        if outcome is None:
            outcome = _run(arm, seed, clock, folder)
            told = f"{len(outcomes) + 1} of {len(runs)}: {_told(outcome)}"
            console.print(told, soft_wrap=True, markup=False)
        outcomes.append(outcome)
        _write_tables(folder, outcomes)
    _write_pictures(folder, outcomes)
    return outcomes


def _calibrated(arms: Sequence[Arm], seconds: float, clock: str, folder: Path) -> tuple[Arm, ...]:
    """The arms with their planned rounds, from the folder or planned now. A resumed comparison runs the same rounds."""
    path, rounds = folder / "plan.json", dict[str, int]()
    plan = Plan(seconds=seconds, clock=clock, threads=torch.get_num_threads(), rounds=rounds)
    if os.path.lexists(path):
        kept = read_plan(path)
        rounds.update(kept.rounds)
        if kept != plan:
            raise ConfigError(f"out={str(folder)!r} has a plan for another calibration; use another folder.")
    for arm in arms:
        if arm.title not in rounds:
            rounds[arm.title] = planned(arm, seconds, CLOCKS[clock]).config.rounds
            write_plan(plan, path)
    return tuple(replace(arm, config=Config.parse({"rounds": rounds[arm.title]}, arm.config)) for arm in arms)


def _set_threads(threads: int, clock: str) -> None:
    if clock == "cpu" and (threads or torch.get_num_threads()) > 1:
        raise ConfigError("clock='cpu' adds up the time of all threads, even while they wait; use --threads 1 with it.")
    if threads:
        torch.set_num_threads(threads)


def _path(arm: Arm, seed: int, folder: Path) -> Path:
    return folder / "runs" / f"{_slug(arm.title)}-{seed}.json"


def _kept(arm: Arm, seed: int, clock: str, folder: Path) -> Outcome | None:
    """The outcome of this run in the folder, if any. Raises ConfigError if it was measured in another way."""
    path = _path(arm, seed, folder)
    if not os.path.lexists(path):
        return None
    kept = read(path)
    wanted = Config.parse({"seed": seed}, arm.config).model_dump()
    before = {**Config.parse(kept.config).model_dump(), "clock": kept.clock}  # settings it did not have are defaults
    now = {**wanted, "clock": clock}
    different = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if kept.threads not in (0, torch.get_num_threads()):
        different.append("number of threads")
    if different:
        raise ConfigError(
            f"out={str(folder)!r} contains {arm.title!r} with a different {different[0]}; use another folder."
        )
    return kept


def _check_kept(runs: Sequence[tuple[Arm, int]], clock: str, folder: Path) -> None:
    """Checks before hours of work that the folder fits this call. Raises ConfigError."""
    kept = [_kept(arm, seed, clock, folder) for arm, seed in runs]
    if any(one is None or not one.with_measuring for one in kept) and any(one and one.with_measuring for one in kept):
        raise ConfigError(
            f"out={str(folder)!r} contains runs whose seconds include measuring, which no longer counts; use another "
            "folder."
        )


def _run(arm: Arm, seed: int, clock: str, folder: Path) -> Outcome:
    path = _path(arm, seed, folder)
    outcome, record = observed(arm, seed, clock)
    write_whole(path.with_suffix(".png"), _grid_png(record))
    write(outcome, path)
    return outcome


def _told(outcome: Outcome) -> str:
    reached = outcome.failure or ("not measured" if outcome.accuracy is None else f"{outcome.accuracy:.1%}")
    return f"{outcome.arm}, seed {outcome.seed}: {reached} after {outcome.seconds:.0f} s"


def _write_tables(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Writes the tables after each run, so that an interrupted comparison has a table too."""
    write_whole(folder / "table.md", markdown(outcomes).encode())
    write_whole(folder / "table.csv", table(outcomes).encode())


def _write_pictures(folder: Path, outcomes: Sequence[Outcome]) -> None:
    from nayer.compare import charts  # matplotlib takes a second, and only pictures need it

    write_whole(folder / "curves.png", charts.curves(outcomes))
    first = {one.arm: one for one in reversed(outcomes)}
    grids = {}
    for arm in dict.fromkeys(one.arm for one in outcomes):
        pixels = _pixels(folder / "runs" / f"{_slug(arm)}-{first[arm].seed}.png")
        grids[arm if first[arm].wants_labels else f"{arm} (without labels)"] = pixels
    classes = next((one.classes for one in outcomes if one.classes), [])
    write_whole(folder / "samples.png", charts.samples(grids, classes))


def _grid_png(record: Record) -> bytes:
    samples = record.grid(ROUNDS_SHOWN)
    out = io.BytesIO()
    pixels = samples if samples.size else np.full((1, 1, 1), 255, np.uint8)
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(out, "PNG")
    return out.getvalue()


def _pixels(path: Path) -> Images:
    """The pixels of a run's samples. There are none if the picture is missing or damaged."""
    none: Images = np.zeros((0, 0, 1), np.uint8)
    try:
        with Image.open(io.BytesIO(read_file(path, MAX_SAMPLES_BYTES)), formats=["PNG"]) as picture:
            if picture.mode not in ("L", "RGB") or picture.width * picture.height > MAX_SAMPLES_PIXELS:
                return none
            pixels = np.asarray(picture)
    except Exception:  # a decoder can raise any error
        return none
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


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
    slugs = [_slug(one.title) for one in sweep.variations]
    twice = next((one.title for one, slug in zip(sweep.variations, slugs, strict=True) if slugs.count(slug) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice!r} is given twice; name each arm once.")
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
    field = next((one for one in settings() if one.name == name.replace("-", "_")), None)
    if field is None or not values:
        raise ConfigError(
            f"vary must be a setting's name, =, and values separated by commas; {given[:60]!r} was given."
        )
    return field.name, [value_of(field, value) for value in values.split(",")]


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9.=]+", "-", title.lower()).strip("-")
