"""Queue × owner × run, driven by Hypothesis with real sessions and scripted sources."""

from __future__ import annotations

import logging

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.reliability.figure import Figure
from tests.support.stateful import Model

SEQUENCES, STEPS, SEED = 2000, 30, 20261123


def measure() -> Figure:
    logging.disable(logging.ERROR)  # runs that fail on purpose are logged, thousands of them
    bounds = settings(
        max_examples=SEQUENCES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    violations = ""
    try:
        run_state_machine_as_test(seed(SEED)(Model), settings=bounds)
    except Exception as error:
        violations = f"{type(error).__name__}: {str(error)[:80]}"
    return Figure(
        5,
        "stateful model of queue × owner × run",
        f"seed {SEED}: {SEQUENCES:,} sequences × {STEPS} steps, 0 violations",
        f"{SEQUENCES:,} sequences, {violations or '0 violations'}",
        not violations,
    )
