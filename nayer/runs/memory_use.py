"""Counts the needs of a run before it begins: its bytes at one time, and the work of a round.

`rehearsed_round` counts the first; arithmetic adds the data that grows over rounds. `python -m tests.reliability 18`
compares the sum with resident memory.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from nayer.config import Config
from nayer.distillation.evaluation import CHUNK
from nayer.distillation.state import HELD_BACK_CAPACITY
from nayer.networks.cards import TeacherCard, teacher_cards
from nayer.networks.specs import ModelSpec
from nayer.runs.rehearsed_round import RehearsedRound, rehearsed

CORES = os.cpu_count() or 1
FASTEST = 1e11  # the most multiply-adds of a core in a second: 32 in a cycle (AVX-512) at 3 GHz
TESTS = 10_000  # images of the largest shipped test split; a visitor brings at most 5,000
REMEMBERED = 4_000  # images whose features the diversity meter keeps or copies at one time: two windows of 1,000, twice
_LABEL = 8  # bytes
BESIDE = 48 << 20  # bytes of a run that depend on no setting: its history, its views, the buffers of the library
# resident bytes for each counted byte, measured by tests/slow/test_memory.py: gaps, and convolution workspace
RESIDENT = 1.1
SCATTERED = 1.2  # likewise on top, for small tensors that come and go: wrn40-3, all of whose maps are, takes 1.16
CHECKPOINT = 3  # copies of a run's state while a checkpoint is made: its tensors, their bytes, the whole file


@dataclass(frozen=True)
class Use:
    """Bytes, by the setting that causes them."""

    kept: Counter[str]  # between two steps, late in the run
    passing: Counter[str]  # additional bytes, each for a moment, one after the other
    moment: int  # resident bytes in addition to `kept`: the allocator keeps the memory of freed small tensors
    work: int  # multiply-adds of a round in which generator and student learn and the student is measured

    @property
    def largest(self) -> tuple[str, int]:
        """The setting that causes the most bytes, and these bytes."""
        return (self.kept + Counter(dict(self.passing.most_common(1)))).most_common(1)[0]


def resident(uses: Sequence[Use]) -> int:
    """Bytes of runs that take turns in one thread, like the arms of a lab: all kept bytes, and the largest moment."""
    kept = sum(sum(use.kept.values()) for use in uses)
    return round(RESIDENT * (kept + max(use.moment for use in uses))) + BESIDE * len(uses)


def use_of(config: Config, card: TeacherCard, teacher: nn.Module | None = None, judge: ModelSpec | None = None) -> Use:
    """The needs of a run of `config` with the teacher of `card`.

    The other arguments, the time and the errors are those of `rehearsed_round.rehearsed`.
    """
    return _over_rounds(config, card, rehearsed(config, card, teacher, judge))


def warm_up() -> None:
    """Does early what would delay the first question: torch imports more modules at the first rehearsal."""
    card = teacher_cards()[0]
    use_of(Config(teacher=card.name), card)


def _over_rounds(config: Config, card: TeacherCard, seen: RehearsedRound) -> Use:
    """The memory of one round, and the memory that all rounds of the run keep."""
    image = card.model.channels * card.model.size**2  # bytes
    kept, passing, saved = seen.kept.copy(), seen.passing.copy(), seen.saved.copy()
    every = config.generator_steps - config.keep_from_step if config.keep == "all" else 1  # batches kept of a round
    batches = max(0, every) * config.synthesis_batch * image
    passing["synthesis_batch"] += batches
    if config.overlap:
        kept["student"] += saved["student"]  # the generator's opponent is a copy
        for name in ("synthesis_batch", "student_batch"):
            passing[name] = seen.passing["synthesis_batch"] + batches + seen.passing["student_batch"]
    pooled = 0 if config.memory == "online" else max(0, every) * config.synthesis_batch * _rounds(config, seen)
    filled = min(config.pool_capacity, pooled)
    saved["pool_capacity"] = filled * (image + _LABEL)
    kept["pool_capacity"] = min(config.pool_capacity, 2 * filled) * (image + _LABEL)  # it grows by doubling
    passing["pool_capacity"] = kept["pool_capacity"] + batches  # the former and the new room
    kept["held_back"] = HELD_BACK_CAPACITY * (image + _LABEL)
    tests = _tests(config)
    kept["test_images"] = tests * (image + _LABEL + 4 * seen.features)
    passing["test_images"] = 3 * max(TESTS, tests) * image  # the whole split, as it is read
    kept["teacher"] += 4 * seen.features * REMEMBERED
    kept += saved  # the latest checkpoint, while it is written to the disk
    largest = saved.most_common(1)[0][0]
    checkpoint = (CHECKPOINT - 1) * sum(saved.values())
    passing[largest] = max(passing[largest], checkpoint)
    small, large = seen.most(overlap=config.overlap)
    large = max(large + batches, passing["pool_capacity"], passing["test_images"], checkpoint)
    return Use(kept, passing, round(SCATTERED * small) + large, _work(config, seen))


def _work(config: Config, seen: RehearsedRound) -> int:
    """The work of a round in which generator and student learn, with a measurement.

    A measurement has no steps to stop at. The first measurement asks the teacher, too.
    """
    step = seen.step_work(config)
    chunks = -(-max(_tests(config), HELD_BACK_CAPACITY) // CHUNK)
    measuring = chunks * (seen.steps["judging"] + seen.steps["looking"])
    named = seen.steps["second opinion"] * config.synthesis_batch // CHUNK // config.report_every
    return config.generator_steps * step.generator + config.student_steps * step.student + measuring + named


def _tests(config: Config) -> int:
    """The largest number of test images."""
    return config.test_images if config.test_data else min(TESTS, config.test_images)


def _rounds(config: Config, seen: RehearsedRound) -> int:
    """The most rounds that fit into the run, into its work, and into its seconds on the fastest machine."""
    if not config.seconds and not config.work:
        return config.rounds
    step = seen.step_work(config)
    warming = config.generator_steps * step.warmup
    learning = config.generator_steps * step.generator + config.student_steps * step.student // config.student_every
    left = min(config.seconds * CORES * FASTEST or math.inf, config.work * 1e9 or math.inf)
    warm = min(config.warmup_rounds, int(left / warming) + 1)
    return min(config.rounds, warm + int(max(0.0, left - warm * warming) / learning) + 1)
