"""The fast part of the stateful sweep; `make reliability` has the long one."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.support.stateful import Model

TestQueueOwnerRun = Model.TestCase
TestQueueOwnerRun.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
