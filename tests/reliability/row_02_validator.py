"""Generated arguments and settings at the validators, without a server."""

from __future__ import annotations

import inspect
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from app.api.commands import Commands
from app.runs.manager import RunManager
from nayer.config import Config
from nayer.config import settings as fields
from nayer.errors import NayerError
from nayer.networks.cards import teacher_cards
from nayer.presets import PRESETS
from tests.app.api.test_validation import ENDPOINTS
from tests.reliability.figure import Figure
from tests.support import nasty
from tests.support.scripted import Scripted, script

PAYLOADS, SEED = 20_000, 20261123


def measure() -> Figure:
    registry = RunManager(lambda plan: Scripted(lambda: script(plan.configs[0])))
    commands = Commands(registry, teacher_cards(), local=False)
    tried, refused, holes = 0, 0, []

    def count(call: Any, *given: Any) -> None:
        nonlocal tried, refused
        tried += 1
        try:
            call(*given)
        except NayerError as error:
            refused += 1
            if len(str(error)) > 400 or "\n" in str(error):
                holes.append(f"{str(error)[:80]!r}")
        except Exception as hole:
            holes.append(f"{type(hole).__name__}: {given!r:.200}")

    bounds = settings(
        max_examples=PAYLOADS // 2,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    names = st.sampled_from([field.name for field in fields()]) | nasty.words

    @seed(SEED)
    @bounds
    @given(st.dictionaries(names, nasty.values, max_size=4), st.sampled_from(sorted(PRESETS)))
    def configs(values: dict[str, Any], preset: str) -> None:
        count(Config.parse, values, PRESETS[preset].config)

    @seed(SEED)
    @bounds
    @given(st.sampled_from(ENDPOINTS), st.lists(nasty.values, min_size=7, max_size=7))
    def arguments(name: str, values: list[Any]) -> None:
        method = getattr(commands, name)
        count(method, *values[: len(inspect.signature(method).parameters)])

    configs()
    arguments()
    registry.close()
    return Figure(
        2,
        "generated payloads at the validators",
        f"seed {SEED}: {PAYLOADS:,}, each taken or refused in one sentence",
        f"{tried:,}, {refused:,} of them refused, {len(holes)} otherwise" + "".join(f"; {hole}" for hole in holes[:2]),
        tried >= PAYLOADS and not holes,
    )
