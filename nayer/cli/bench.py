"""`bench` measures times on this machine. It prints them and asserts nothing, because the speed of the machine varies.

Seconds are comparable within one call of `bench`. *Normalized* seconds are comparable between machines and days:
seconds × measured GFLOPS / 100, as if large matrix products ran at 100 GFLOPS.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from nayer import presets
from nayer.cli.executor import add_executor_arguments, executor_of, run_options_of
from nayer.cli.exit_codes import DONE
from nayer.cli.memory import add_memory_argument, check_runs
from nayer.cli.options import count, seeds_of
from nayer.cluster.jobs import Executor
from nayer.common.files import check_target, claimed, path_to_write, read_file, write_whole
from nayer.compare.benchmark import first_picture, levels, profiled
from nayer.compare.experiments import Arm
from nayer.compare.outcome import CLOCKS, Outcome, convolution_rate, matrix_rate
from nayer.compare.planning import planned_arms
from nayer.compare.published import published_facts
from nayer.compare.run_jobs import Finished, RunOptions, run_all
from nayer.config import Config
from nayer.errors import StorageError, excerpt
from nayer.runs.thread_budget import MAX_THREADS

MAX_EARLIER_BYTES = 4 << 20  # of an earlier measurement


def add_bench_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `bench_command`."""
    parser.add_argument(
        "--suite",
        choices=("cores", "gpu"),
        default="cores",
        help="What to measure: two cores here, or the published experiment on CIFAR-10, which takes hours on a GPU.",
    )
    parser.add_argument("--data", default="", help="For the suite gpu: the folder of CIFAR-10.")
    parser.add_argument(
        "--out",
        type=partial(path_to_write, "out"),
        default=Path("runs/gpu"),
        help="Folder of its teachers; they are trained if they are missing.",
    )
    parser.add_argument(
        "--teacher", default="fashion", metavar="NAME,…", help="Teacher of the runs (default: fashion)."
    )
    parser.add_argument(
        "--presets", default="nayer,nayer-turbo,nayer-thinned", metavar="NAME,…", help="(default: %(default)s)"
    )
    parser.add_argument("--seeds", default="0,1,2", metavar="N,N,…", help="One run per seed (default: %(default)s).")
    parser.add_argument(
        "--seconds",
        type=float,
        default=60.0,
        help="Seconds per run, for which rounds are planned (default: %(default)s).",
    )
    parser.add_argument("--clock", choices=tuple(CLOCKS), default="wall", help="Clock that counts the seconds.")
    parser.add_argument(
        "--threads",
        type=count("threads", 0, MAX_THREADS),
        default=0,
        help="Number of threads for computation; 0 uses all cores.",
    )
    parser.add_argument(
        "--profile", action="store_true", help="Also print time and operations of each part of a round."
    )
    parser.add_argument(
        "--json", type=partial(path_to_write, "json"), metavar="FILE", help="Also write all results to this JSON file."
    )
    add_memory_argument(parser)
    add_executor_arguments(parser)
    parser.add_argument("--against", type=Path, metavar="FILE", help="An earlier --json file to compare with.")


def bench_command(arguments: argparse.Namespace) -> int:
    """Prints each measurement at once. Presets take turns within each seed, so a slow minute affects all presets."""
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    teachers, named = arguments.teacher.split(","), arguments.presets.split(",")
    arms = {(teacher, preset): _arm(teacher, preset) for teacher in teachers for preset in named}
    earlier = _read(arguments.against) if arguments.against else {}
    seeds = seeds_of(arguments.seeds)
    if arguments.json:
        check_target(arguments.json, "json")
    if arguments.suite == "gpu":
        return _published(arguments, earlier)
    check_runs([arm.config for arm in arms.values()], arguments)
    options = run_options_of(arguments, arguments.clock, arguments.threads)
    with executor_of(arguments) as executor:
        facts = _facts(arms, seeds, arguments.seconds, options, executor)
    if arguments.profile:
        for (teacher, preset), arm in arms.items():
            profile = profiled(arm.config, arguments.clock)
            facts |= {f"{teacher}.{preset}.{name}": value for name, value in profile.items()}
    _print(facts, earlier)
    if arguments.json:
        given = {
            "seconds": arguments.seconds,
            "seeds": arguments.seeds,
            "clock": options.clock,
            "threads": options.threads,
        }
        write_whole(arguments.json, (json.dumps(given | facts, indent=1) + "\n").encode())
    return DONE


def _facts(
    arms: dict[tuple[str, str], Arm], seeds: Sequence[int], seconds: float, options: RunOptions, executor: Executor
) -> dict[str, float | None]:
    """The rates and the first pictures of this machine, then the runs on the executor, with rounds for `seconds`."""
    now = CLOCKS[options.clock]
    facts: dict[str, float | None] = {
        "matrix_gigaflops": matrix_rate(now),
        "convolution_gigaflops": convolution_rate(now),
    }
    for teacher, preset in arms:
        facts[f"{teacher}.{preset}.first_picture_seconds"] = first_picture(arms[teacher, preset].config)
    planned = dict(zip(arms, planned_arms(list(arms.values()), seconds, options, executor), strict=True))
    runs = [(key, seed) for seed in seeds for key in planned]
    found: dict[int, Outcome] = {}
    for event in run_all([(planned[key], seed) for key, seed in runs], options, executor):
        if isinstance(event, Finished):
            one = found[event.number] = event.outcome
            reached = "failed" if one.accuracy is None else f"{one.accuracy:.1%}"
            _say(f"{one.arm}, seed {one.seed}: {reached} after {one.seconds:.0f} s, {one.rounds} rounds")
    for teacher, preset in planned:
        outcomes = [found[number] for number, (key, _) in enumerate(runs) if key == (teacher, preset)]
        facts |= {f"{teacher}.{preset}.{name}": value for name, value in levels(outcomes).items()}
    return facts


def _published(arguments: argparse.Namespace, earlier: dict[str, Any]) -> int:
    facts: dict[str, float | None] = {}
    with claimed(arguments.out):
        for pair in published_facts(arguments.data, arguments.out, _say):
            facts |= pair
            _print(pair, earlier)
    if arguments.json:
        write_whole(arguments.json, (json.dumps(facts, indent=1) + "\n").encode())
    return DONE


def _arm(teacher: str, preset: str) -> Arm:
    return Arm(f"{teacher}, {preset}", Config.parse({"teacher": teacher}, presets.get(preset).config))


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_file(path, MAX_EARLIER_BYTES))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise StorageError(f"against={excerpt(path)!r} contains no earlier measurement; name a file that --json wrote.")
    return {name.replace("_normalised", "_normalized"): value for name, value in found.items()}  # the earlier spelling


def _print(facts: dict[str, float | None], earlier: dict[str, Any]) -> None:
    """Prints one line for each figure, with its earlier value and their ratio if there is one."""
    for name, value in facts.items():
        before = earlier.get(name)
        if value is None and before is None:
            continue
        line = f"{name:<60} {_short(value):>9}"
        if isinstance(before, int | float):
            ratio = f"{value / before:8.2f} ×" if value is not None and before else ""
            line += f"  before {_short(before):>9} {ratio}"
        _say(line.rstrip())


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
