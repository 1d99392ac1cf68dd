"""Plans rounds for a budget in seconds: it measures an arm's pace first, and then the arm runs exactly those rounds.

So the clock decides only the number of planned rounds. The schedule follows the rounds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from pydantic import TypeAdapter

from nayer.common.files import read_file, write_whole
from nayer.common.stopwatch import Stopwatch
from nayer.compare.experiments import WITHOUT_END
from nayer.compare.outcome import MEASURING, PHASES
from nayer.config import Config
from nayer.errors import ConfigError, StorageError, excerpt
from nayer.events import RoundFinished
from nayer.runs.run import open_run

SHARE = 0.1  # of the budget; the time for measuring learning rounds
CYCLES = 3  # the fewest phases of the student that are timed
MAX_BYTES = 1 << 20  # of a plan file
MAX_SECONDS = 3600.0 * 24  # s


@dataclass(frozen=True)
class Plan:
    """The result of a calibration in a folder."""

    seconds: float
    clock: str
    threads: int
    rounds: dict[str, int]  # by the title of the arm


def write_plan(plan: Plan, path: Path) -> None:
    """Writes the plan whole or not at all. Raises StorageError."""
    write_whole(path, (json.dumps(asdict(plan), indent=1) + "\n").encode())


def read_plan(path: Path) -> Plan:
    """The plan that `write_plan` wrote. Raises StorageError for a damaged file."""
    try:
        plan = TypeAdapter(Plan).validate_json(read_file(path, MAX_BYTES), strict=True)
        if not all(1 <= rounds <= WITHOUT_END["rounds"] for rounds in plan.rounds.values()):
            raise ValueError("rounds")
        return plan
    except (OSError, ValueError):
        raise StorageError(
            f"{excerpt(path, 300)} contains no plan of this version; move it away and compare again."
        ) from None


def check_budget(seconds: float) -> None:
    """Raises ConfigError for a budget that no run can have."""
    if not 0.0 < seconds <= MAX_SECONDS:
        raise ConfigError(
            f"calibrate must be a number of seconds above 0 and up to {MAX_SECONDS:,.0f}; {seconds:g} was given."
        )


def rounds_for(config: Config, seconds: float, warm: float, learning: float) -> int:
    """How many rounds fit, at least one. A warm-up round takes `warm` seconds; a later round takes `learning`."""
    before = config.warmup_rounds * warm
    if before >= seconds:
        return max(1, min(config.warmup_rounds, int(seconds / warm)))
    return max(1, min(WITHOUT_END["rounds"], config.warmup_rounds + round((seconds - before) / learning)))


def pace(config: Config, seconds: float, now: Callable[[], float]) -> tuple[float, float]:
    """Seconds of a round in the warm-up and of one after it, without measurements, on this machine at this moment.

    The first round of each kind is left out if there are others, because it allocates memory.
    """
    warmup = min(2, config.warmup_rounds)
    short = Config.parse({"warmup_rounds": warmup, **WITHOUT_END, "seconds": 0.0, "work": 0.0}, config)
    watch = Stopwatch(now=now)
    rounds: list[float] = []
    before = spent = 0.0
    for event in open_run(short).events(watch):
        if PHASES.get(type(event)) == MEASURING:
            watch.forget()
        spent = watch.seconds()
        if isinstance(event, RoundFinished):
            rounds.append(spent - before)
            before = spent
            timed = rounds[warmup + config.student_every :]
            if len(timed) >= CYCLES * config.student_every and sum(timed) >= SHARE * seconds:
                break
    learning = fmean(timed)
    return (fmean(rounds[warmup - 1 : warmup]) if warmup else learning), learning
