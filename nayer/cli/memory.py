"""The limit of memory on the command line: a run that the machine cannot hold is refused before it begins."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

from nayer.common.machine_memory import SHARE, limit_for_a_run
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.networks.specs import ModelSpec


def add_memory_argument(parser: argparse.ArgumentParser) -> None:
    """`--memory-limit`, which `memory_limit` reads."""
    parser.add_argument(
        "--memory-limit",
        type=float,
        metavar="GB",
        help=(
            f"Refuse a run that needs more memory, in GB (default: {SHARE:.0%}% of the machine's free memory); 0 "
            "means no limit."
        ),
    )


def memory_limit(arguments: argparse.Namespace) -> tuple[float, str]:
    """Bytes, and whose limit that is, in words. ConfigError for a limit that is none."""
    given: float | None = arguments.memory_limit
    if given is None:
        return limit_for_a_run(), "the limit of this machine is"
    if not given >= 0.0:
        raise ConfigError(f"memory-limit must be a number of GB, or 0 for no limit; {given} was given.")
    return given * 1e9 if given else float("inf"), "--memory-limit allows"


def check_runs(configs: Iterable[Config], arguments: argparse.Namespace) -> None:
    """ConfigError, in one sentence, for the first of runs one after the other that takes more than the limit.

    Raises what `find_teacher` does. A GPU's memory is not looked at: one that is full ends the run and nothing else.
    """
    limit, whose = memory_limit(arguments)
    if limit == float("inf"):
        return
    from nayer.common.device import device
    from nayer.runs.memory_use import check_memory
    from nayer.teachers.find import find_teacher

    teachers = {}
    for config in configs:
        if device(config.device).type != "cpu":
            continue
        if config.teacher not in teachers:
            teachers[config.teacher] = find_teacher(config.teacher)
        teacher = teachers[config.teacher]
        try:
            judge = None if teacher.judge is None else teacher.judge.card.model
            check_memory([(config, teacher.card)], limit, whose, teacher.network, judge)
        except NotImplementedError:  # a network from elsewhere that does what no meta tensor can
            continue


def training_bound(arguments: argparse.Namespace) -> Callable[[ModelSpec, int, int], None]:
    """What refuses a network that cannot be taught within the limit; see `memory_use.check_training`."""
    limit, whose = memory_limit(arguments)

    def check(spec: ModelSpec, batch: int, size: int) -> None:
        from nayer.common.device import device
        from nayer.runs.memory_use import check_training

        if limit < float("inf") and device("auto").type == "cpu":
            check_training(spec, batch, size, limit, whose)

    return check
