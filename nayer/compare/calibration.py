"""Plans rounds for a budget in seconds: an arm's pace is measured first, and then it runs exactly those rounds.

So the clock decides how many rounds are planned, and nothing after that: the schedule follows the rounds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean

from pydantic import TypeAdapter

from nayer.common.files import read_file, write_whole
from nayer.common.stopwatch import Stopwatch
from nayer.compare.experiments import WITHOUT_END, Arm
from nayer.compare.outcome import MEASURING, PHASES
from nayer.config import Config
from nayer.errors import ConfigError, StorageError
from nayer.events import RoundFinished
from nayer.runs.run import open_run

SHARE = 0.1  # of the budget that learning rounds are timed for
CYCLES = 3  # phases of the student that are timed at least
MAX_BYTES = 1 << 20  # of a plan
MOST = 3600.0 * 24  # s


@dataclass(frozen=True)
class Plan:
    """What a folder keeps of a calibration."""

    seconds: float
    clock: str
    threads: int
    rounds: dict[str, int]  # by the title of the arm


def write_plan(plan: Plan, path: Path) -> None:
    """Whole or not at all. Raises StorageError."""
    write_whole(path, (json.dumps(asdict(plan), indent=1) + "\n").encode())


def read_plan(path: Path) -> Plan:
    """What `write_plan` wrote. Raises StorageError for a file that is damaged."""
    try:
        return TypeAdapter(Plan).validate_json(read_file(path, MAX_BYTES), strict=True)
    except (OSError, ValueError):
        raise StorageError(f"{path} contains no plan of this version; move it away and compare again.") from None


def planned(arm: Arm, seconds: float, now: Callable[[], float]) -> Arm:
    """The arm with the number of rounds that takes `seconds` by the clock `now`, and without other limits.

    Raises ConfigError for a budget that is none, and what opening the run raises.
    """
    if not 0.0 < seconds <= MOST:
        raise ConfigError(
            f"calibrate must be a number of seconds above 0 and up to {MOST:,.0f}; {seconds:g} was given."
        )
    warm, learning = pace(arm.config, seconds, now)
    return replace(arm, config=Config.parse({"rounds": rounds_for(arm.config, seconds, warm, learning)}, arm.config))


def rounds_for(config: Config, seconds: float, warm: float, learning: float) -> int:
    """How many rounds fit: `warm` seconds a round of the warm-up, and `learning` a round after it. One at least."""
    before = config.warmup_rounds * warm
    if before >= seconds:
        return max(1, min(config.warmup_rounds, int(seconds / warm)))
    return max(1, min(WITHOUT_END["rounds"], config.warmup_rounds + round((seconds - before) / learning)))


def pace(config: Config, seconds: float, now: Callable[[], float]) -> tuple[float, float]:
    """Seconds of a round in the warm-up and of one after it, without measurements, on this machine at this moment.

    The first round of each kind is left out where there are others: memory is allocated in it.
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
