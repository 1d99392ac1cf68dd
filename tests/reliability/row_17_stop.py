"""How long a stop takes, with real runs; and stops that race with a run's own end."""

from __future__ import annotations

import random
import threading
import time

from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.server import open_source
from nayer import presets
from nayer.config import Config
from nayer.events import RunFinished
from tests.reliability.figure import Figure
from tests.support.commanding import command
from tests.support.scripted import SHORT, Scripted, script

STOPS, RACES, SEED = 100, 1000, 20261123


def stops() -> list[float]:
    """Seconds from the command to the end, of real runs with the settings a visitor finds."""
    rng, took = random.Random(SEED), []
    registry = RunManager(open_source, capacity=1)
    base = Config.parse({"teacher": "digits", "rounds": 10_000}, presets.get("nayer").config)
    for seed in range(STOPS):
        run = registry.start(Plan.alone(base.model_copy(update={"seed": seed})), registry.visitor(""))
        while run.refresh().started is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 1.0))
        began = time.monotonic()
        command(registry, run.id, run.owner, "stop")
        run.session.join(30)
        took.append(time.monotonic() - began)
    registry.close()
    return sorted(took)


def races() -> tuple[int, dict[str, int]]:
    """Races that did not leave exactly one end that agrees with the state, and how often each side won."""
    registry = RunManager(lambda plan: Scripted(lambda: script(plan.configs[0])), capacity=2)
    rng, bad, won = random.Random(SEED), 0, {"finished": 0, "stopped": 0}
    for seed in range(RACES):
        run = registry.start(Plan.alone(SHORT.model_copy(update={"seed": seed})), registry.visitor(""))
        inbox = run.session.subscribe(10_000)
        racers = [threading.Thread(target=registry.stop, args=(run.id, run.owner)) for _ in range(2)]
        time.sleep(rng.uniform(0.0, 0.002))
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        run.session.join(10)
        state = run.state
        ends = [event.reason for event in inbox.drain() if isinstance(event, RunFinished)]
        agrees = {"finished": ["rounds done"], "stopped": ["stopped"]}.get(state) in (ends, ends or ["stopped"])
        command(registry, run.id, run.owner, "stop")
        bad += not agrees or len(ends) > 1 or run.state != state
        won[state] = won.get(state, 0) + 1
        registry.sweep()
    registry.close()
    return bad, won


def measure() -> Figure:
    took = stops()
    slowest = took[int(0.99 * (len(took) - 1))]
    bad, won = races()
    return Figure(
        17,
        "stops of real runs, and stops at the moment when a run finishes",
        f"p99 ≤ 1 s, {RACES:,} races with one end each",
        f"p50 {took[len(took) // 2]:.2f} s, p99 {slowest:.2f} s of {len(took)}; {bad} of {RACES:,} races without "
        f"exactly one end ({won['finished']} finished, {won['stopped']} stopped)",
        slowest <= 1.0 and not bad,
    )
