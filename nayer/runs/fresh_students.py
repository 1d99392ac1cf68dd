"""New students that learn from the pool of a finished run. They compare the pools of two runs on equal terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from nayer.common.stopwatch import Stopwatch
from nayer.config import Config
from nayer.distillation.report import Report
from nayer.distillation.state import new_state
from nayer.distillation.train import distill
from nayer.errors import ConfigError
from nayer.events import Evaluated
from nayer.runs.run import Run, new_student


def fresh_students(run: Run, seeds: Sequence[int], phases: int) -> Iterator[Evaluated]:
    """For each seed, the measurement of a new student after `phases` training phases on the run's pool.

    A phase has the run's `student_steps`, and the schedule of the learning rate has `phases` phases. The pool does not
    change. Raises ConfigError for a run without a pool.
    """
    if not len(run.state.pool):
        raise ConfigError(
            f"memory={run.task.config.memory} keeps no images for fresh students after round {run.state.round}; use "
            "memory=pool and more rounds."
        )
    config = run.task.config
    alone = {"rounds": config.warmup_rounds + phases * config.student_every, "seconds": 0.0, "work": 0.0}
    task = replace(run.task, config=Config.parse({**alone, "overlap": False}, config), step_work=None)
    for seed in seeds:
        rng = torch.Generator().manual_seed(seed)
        state = replace(
            new_state(task, new_student(run.card, task, rng), rng),
            pool=run.state.pool,
            held_back=run.state.held_back,
        )
        report = Report(task, state, Stopwatch())
        for _ in range(phases):
            for _ in distill(task, state, None, report):
                pass
        state.round = task.config.rounds - 1  # the measurement names the last round
        yield report.evaluated()
