"""`python -m nayer study`: methods × teachers × budgets × seeds from a file, into one folder with tables."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean, stdev

from nayer.cli.executor import add_executor_arguments, executor_of, run_options_of, set_threads
from nayer.cli.exit_codes import DONE, FAILED
from nayer.cli.memory import add_memory_argument, check_runs
from nayer.cli.run_table import run_missing
from nayer.common.extras import needs_package
from nayer.common.files import check_ours, check_places, claimed, path_to_write, read_file, write_whole
from nayer.common.machine import versions
from nayer.compare.experiments import Arm
from nayer.compare.outcome import STEP_MEASURES, Outcome
from nayer.compare.outcome_folder import RUNS, OutcomeFolder
from nayer.compare.planning import PLAN, planned_cells
from nayer.compare.study import Cell, Study, read_study
from nayer.compare.study_tables import result_tables, runs_csv, verdicts
from nayer.compare.titles import slug
from nayer.errors import ConfigError, StorageError, excerpt

STUDY = "study.yaml"  # the copy in the folder
REPORT, TABLES, FIGURES = "report.md", "tables", "figures"
MAX_STUDY_BYTES = 256 << 10
MEASURES = dict(zip(STEP_MEASURES, ("cross-entropy (nats)", "label accuracy (share)"), strict=True))


def add_study_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `study_command`."""
    parser.usage = "%(prog)s (STUDY.yaml --out DIR | --resume DIR) …"
    parser.add_argument(
        "study",
        nargs="?",
        metavar="STUDY.yaml",
        type=partial(path_to_write, "study"),
        help="File with methods, teachers, budgets and seeds.",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=partial(path_to_write, "out"),
        help="Folder for outcomes, tables and figures. The same command continues an interrupted study.",
    )
    parser.add_argument(
        "--resume",
        metavar="DIR",
        type=partial(path_to_write, "resume"),
        help="Continue the study in this folder. The folder has its file.",
    )
    parser.add_argument("--dry-run", action="store_true", help="Print the runs of the study, and run nothing.")
    add_memory_argument(parser)
    add_executor_arguments(parser)


def study_command(arguments: argparse.Namespace) -> int:
    """Runs what is missing in the folder, then writes tables, figures and report. Returns 1 if a run failed."""
    path, folder = _path_and_folder(arguments)
    study = read_study(path)
    if arguments.dry_run:
        sys.stdout.write(_listed(study))
        return DONE
    if sentence := needs_package("study", "scipy", "matplotlib"):
        raise ConfigError(sentence)  # before hours of runs, after which the figures could not be drawn
    check_runs({(c.method, c.teacher): c.arm.config for c in study.cells}.values(), arguments)
    set_threads(study.threads, study.clock)
    options = run_options_of(arguments, study.clock, study.threads, study.fresh)
    kept = OutcomeFolder(folder, options.clock, options.threads)
    with claimed(folder), executor_of(arguments) as executor:
        _check_folder(study, path, folder)
        cells = study.cells
        if study.kind == "seconds":
            _keep_file(path, folder)  # the measuring of the pace can be continued too
            cells = planned_cells(cells, options, executor, folder)
        runs = _runs(study, cells)
        kept.missing(runs)  # refuses a folder that does not fit, before anything in it is replaced
        _keep_file(path, folder)
        outcomes = run_missing(runs, kept, options, executor, partial(_write_tables, study, folder))
        figures = _write_figures(study, folder, outcomes)
        report = _report(study, outcomes, figures, _command(arguments))
        write_whole(folder / REPORT, report.encode())
    sys.stdout.write(report)
    return FAILED if any(one.failure for one in outcomes) else DONE


def _path_and_folder(arguments: argparse.Namespace) -> tuple[Path, Path]:
    """The file of the study, and its folder. Raises ConfigError."""
    path: Path | None = arguments.study
    folder: Path | None = arguments.resume or arguments.out
    if (path is None) == (arguments.resume is None):
        raise ConfigError("study needs a file with --out, or --resume with the folder of a study.")
    if arguments.resume and arguments.out:
        raise ConfigError("resume names the folder already; leave out --out.")
    if path is not None and arguments.dry_run:
        return path, folder or Path()
    if folder is None:
        raise ConfigError("study needs --out with a folder for its outcomes, tables and figures.")
    if path is None and not (folder / STUDY).is_file():
        raise ConfigError(f"resume={excerpt(folder)!r} contains no {STUDY}; name a folder that study wrote.")
    return path or folder / STUDY, folder


def _runs(study: Study, cells: Sequence[Cell]) -> list[tuple[Arm, int]]:
    """Every run. The small budgets of all methods and seeds come first, so that early tables compare all methods."""
    return [
        (cell.arm, seed) for budget in study.budgets for seed in study.seeds for cell in cells if cell.budget == budget
    ]


def _check_folder(study: Study, path: Path, folder: Path) -> None:
    """Raises StorageError or ConfigError for a folder with other things in it, which the study would replace.

    A study may grow, so its file may differ from that in the folder. With no arm in common it is another study.
    """
    check_places(folder, (STUDY, PLAN, REPORT), (RUNS, TABLES, FIGURES))
    has_file = (folder / STUDY).is_file()
    check_ours("out", folder, has_file, (PLAN, REPORT, TABLES, FIGURES, RUNS), "a study")
    if not has_file or path == folder / STUDY:
        return
    earlier = {cell.arm.title for cell in read_study(folder / STUDY).cells}
    if earlier.isdisjoint(cell.arm.title for cell in study.cells):
        raise ConfigError(
            f"out={excerpt(folder, 200)!r} contains another study, which has no arm of this one; use another folder."
        )


def _keep_file(path: Path, folder: Path) -> None:
    """Copies the file of the study into its folder. The folder's outcomes decide whether a changed file still fits."""
    if path == folder / STUDY:
        return
    try:
        content = read_file(path, MAX_STUDY_BYTES)
    except OSError as error:
        raise StorageError(
            f"{excerpt(path, 200)} cannot be read ({error.strerror}); make it readable, or use another folder."
        ) from None
    write_whole(folder / STUDY, content)


def _listed(study: Study) -> str:
    lines = [f"{cell.arm.title}, seeds {', '.join(map(str, study.seeds))}" for cell in study.cells]
    total = f"{len(study.cells) * len(study.seeds)} runs"
    if study.kind == "seconds":
        seconds = len(study.seeds) * sum(cell.budget for cell in study.cells)
        total += f", {seconds / 3600:.1f} hours without measurements, one after the other"
    return "\n".join([*lines, f"{total}.", ""])


def _by_arm(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    by_arm: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        by_arm[one.arm].append(one)
    return by_arm


def _write_tables(study: Study, folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Writes the tables after each run, so that an interrupted study has tables too."""
    by_arm = _by_arm(outcomes)
    write_whole(folder / TABLES / "runs.csv", runs_csv(study, by_arm).encode())
    for table in result_tables(study, by_arm):
        for suffix, text in ((".md", table.markdown()), (".csv", table.csv()), (".tex", table.latex())):
            write_whole(folder / TABLES / f"{table.name}{suffix}", text.encode())


def _write_figures(study: Study, folder: Path, outcomes: Sequence[Outcome]) -> list[str]:
    """Writes the figures as PNG and PDF. Returns their names without a suffix."""
    from nayer.compare import charts  # matplotlib takes a second, and only figures need it

    by_arm, made = _by_arm(outcomes), dict[str, dict[str, bytes]]()
    for teacher in study.teachers:
        cells = [cell for cell in study.cells if cell.teacher == teacher]
        measured = next((one.measured_on for cell in cells for one in by_arm[cell.arm.title] if one.measured_on), "")
        known = [a for cell in cells for one in by_arm[cell.arm.title] if (a := one.teacher_accuracy) is not None]
        lines = defaultdict(list)
        for cell in cells:
            if reached := [a for one in by_arm[cell.arm.title] if (a := one.accuracy) is not None]:
                lines[cell.method].append((cell.budget, fmean(reached), stdev(reached) if len(reached) > 1 else 0.0))
        if lines and len(study.budgets) > 1:
            made[f"accuracy-{slug(teacher)}"] = charts.budget_curves(
                lines,
                budget={"seconds": "budget in seconds", "work": "budget in 10⁹ multiply-adds"}.get(
                    study.kind, "rounds"
                ),
                measured=measured,
                teacher=fmean(known) if known else None,
            )
        for name, target in study.steps_to.items():
            curves = _step_means([cell for cell in cells if cell.budget == study.budgets[-1]], by_arm, name)
            if curves:
                files = charts.step_curves(curves, measured=MEASURES[name], target=target)
                made[f"steps-{name.replace('_', '-')}-{slug(teacher)}"] = files
    for name, files in made.items():
        for suffix, content in files.items():
            write_whole(folder / FIGURES / f"{name}{suffix}", content)
    return list(made)


def _step_means(
    cells: Sequence[Cell], by_arm: Mapping[str, Sequence[Outcome]], name: str
) -> dict[str, tuple[list[float], list[float]]]:
    """For each method, its generator steps and the mean of a measure over the seeds that have all of them."""
    curves = {}
    for cell in cells:
        seeds = [one.by_step for one in by_arm[cell.arm.title] if one.by_step]
        same = [one for one in seeds if one["step"] == seeds[0]["step"]]
        if same:
            columns = zip(*(one[name] for one in same), strict=True)
            curves[cell.method] = (same[0]["step"], [fmean(column) for column in columns])
    return curves


def _command(arguments: argparse.Namespace) -> str:
    words = ["python", "-m", "nayer", "study"]
    for flag, value in (("", arguments.study), ("--out", arguments.out), ("--resume", arguments.resume)):
        words += [*([flag] if flag else []), str(value)] if value is not None else []
    return shlex.join(words)


def _report(study: Study, outcomes: Sequence[Outcome], figures: Sequence[str], command: str) -> str:
    """The whole study on one page: tables, figures, and what they were made with."""
    by_arm = _by_arm(outcomes)
    parts = [f"# {study.title}", *([study.question] if study.question else [])]
    parts += [table.markdown().strip() for table in result_tables(study, by_arm)]
    parts += verdicts(study, by_arm)
    parts += [f"![{name}](figures/{name}.png)" for name in figures]
    parts += [f"Failed: {one.arm}, seed {one.seed}: {one.failure}" for one in outcomes if one.failure]
    machines = ", ".join(sorted({one.machine for one in outcomes if one.machine}))
    rates = sorted(one.gigaflops for one in outcomes)
    speed = f"; {rates[0]:.0f} to {rates[-1]:.0f} GFLOPS, measured before each run" if rates else ""
    made_with = ", ".join(f"{name} {version}" for name, version in versions().items())
    parts += [
        "## How it was made",
        f"`{command}`",
        f"{len(outcomes)} runs, threads: {study.threads}, clock: {study.clock}. Machine: {machines}{speed}.",
        f"Versions: {made_with}.",
        f"[{STUDY}]({STUDY}) is the file of the study. tables/ has each table as Markdown, CSV and LaTeX, and "
        "[runs.csv](tables/runs.csv) has each run. figures/ has each figure as PNG and PDF. runs/ has each outcome "
        "with all its settings.",
    ]
    return "\n\n".join(parts) + "\n"
