"""The memory limit on the command line: it refuses a run that is too large for the machine before the run begins."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

from nayer.common.machine_memory import SHARE, limit_for_a_run
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.networks.specs import ModelSpec


def add_memory_argument(parser: argparse.ArgumentParser) -> None:
    """Adds `--memory-limit`, which `memory_limit` reads."""
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
    """The limit in bytes, and its source in words. Raises ConfigError for a limit that is not valid."""
    given: float | None = arguments.memory_limit
    if given is None:
        return limit_for_a_run(), "the limit of this machine is"
    if not given >= 0.0:
        raise ConfigError(f"memory-limit must be a number of GB, or 0 for no limit; {given} was given.")
    return given * 1e9 if given else float("inf"), "--memory-limit allows"


def check_runs(configs: Iterable[Config], arguments: argparse.Namespace) -> None:
    """Raises ConfigError, in one sentence, for the first run that needs more than the limit. Runs do not overlap.

    Also raises the errors of `find_teacher`. It does not check a GPU's memory: a full GPU ends only the run. On a
    cluster, the GPU is another machine's.
    """
    limit, whose = memory_limit(arguments)
    if limit == float("inf"):
        return
    from nayer.networks.execution import device
    from nayer.runs.memory_check import check_memory
    from nayer.teachers.find import find_teacher

    teachers = {}
    away = bool(getattr(arguments, "on", ""))  # not all commands with a limit can run elsewhere
    for config in configs:
        if (away and config.device == "cuda") or device(config.device).type != "cpu":
            continue
        if config.teacher not in teachers:
            teachers[config.teacher] = find_teacher(config.teacher)
        teacher = teachers[config.teacher]
        try:
            judge = None if teacher.judge is None else teacher.judge.card.model
            check_memory([(config, teacher.card)], limit, whose, teacher.network, judge)
        except NotImplementedError:  # a network that was not built here uses an operation that meta tensors lack
            continue


def training_bound(arguments: argparse.Namespace) -> Callable[[ModelSpec, int, int], None]:
    """A function that refuses a network if its training exceeds the limit; see `memory_check.check_training`."""
    limit, whose = memory_limit(arguments)

    def check(spec: ModelSpec, batch: int, size: int) -> None:
        from nayer.networks.execution import device
        from nayer.runs.memory_check import check_training

        if limit < float("inf") and device("auto").type == "cpu":
            check_training(spec, batch, size, limit, whose)

    return check
