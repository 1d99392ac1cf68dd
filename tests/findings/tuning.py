"""The learning rates of experiment A: five runs for each method, on a teacher and a seed that are not reported.

Each method tries its student's rate times a third, one and three, and, with the best of these, its generator's rate
times a half and two. The methods that train no generator have three runs.
"""

from __future__ import annotations

from typing import Any

from nayer.cluster.jobs import LocalExecutor
from nayer.compare.experiments import Arm
from nayer.compare.planning import planned_arms
from nayer.compare.run_jobs import RunOptions, run_one
from nayer.config import Config
from nayer.presets import get
from tests.findings.kept import Row

STUDENT, GENERATOR = (1.0, 1 / 3, 3.0), (0.5, 2.0)
SEED = 100


def factors(rows: list[Row], method: str) -> list[dict[str, float]]:
    """The runs that a method still needs, given the rows so far: factors of both rates."""
    wanted = [{"student": student, "generator": 1.0} for student in STUDENT]
    if all(_found(rows, method, one) for one in wanted) and _rate(get(method).config):
        best = max(wanted, key=lambda one: float(_found(rows, method, one)["accuracy"]))  # type: ignore[index]
        wanted += [{"student": best["student"], "generator": generator} for generator in GENERATOR]
    return [one for one in wanted if not _found(rows, method, one)]


def best(rows: list[Row], method: str) -> dict[str, float]:
    """The settings of the method's best run."""
    own = [row for row in rows if row["method"] == method]
    row = max(own, key=lambda one: one["accuracy"])
    return changed(method, row["student"], row["generator"])


def changed(method: str, student: float, generator: float) -> dict[str, float]:
    """The method's learning rates times these factors: those that differ from the preset's."""
    config = get(method).config
    made = {"student_lr": config.student_lr * student}
    if rate := _rate(config):
        made[rate] = getattr(config, rate) * generator
    return {name: float(f"{value:.3g}") for name, value in made.items() if value != getattr(config, name)}


def tried(teacher: str, method: str, student: float, generator: float, seconds: float) -> dict[str, Any]:
    """The accuracy at the end of one run that takes about `seconds` of processor time."""
    values = {"teacher": teacher, "device": "cpu", "evaluate_every": 10_000, **changed(method, student, generator)}
    [arm] = planned_arms(
        [Arm(method, Config.parse(values, get(method).config))], seconds, RunOptions("cpu"), LocalExecutor()
    )
    outcome, _ = run_one(arm, SEED, "cpu")
    return {"accuracy": outcome.accuracy or 0.0, "rounds": arm.config.rounds, "spent": round(outcome.seconds, 1)}


def _rate(config: Config) -> str:
    """The setting that holds the rate of what makes the images; empty if nothing is trained."""
    if config.generator_width and config.generator_lr:
        return "generator_lr"
    return "z_lr" if config.z_lr else ""


def _found(rows: list[Row], method: str, one: dict[str, float]) -> Row | None:
    return next((row for row in rows if row["method"] == method and one.items() <= row.items()), None)
