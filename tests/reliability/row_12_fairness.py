"""Thirty starts in the same moment, twenty of them by one who hogs: who runs when."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator

from app.runs.manager import RunManager
from app.runs.plan import Plan
from nayer.events import Event
from tests.reliability.figure import Figure
from tests.support.scripted import SHORT, Scripted, script

HOGS, OTHERS, CAPACITY, RUN_SECONDS = 20, 10, 2, 3.0


class Log:
    """Which seeds run, and when they began."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.begun: list[int] = []
        self.going: Counter[int] = Counter()
        self.most = 0
        self.fewest = CAPACITY

    def opener(self, plan: Plan) -> Scripted:
        return Scripted(lambda: self.events(plan))

    def events(self, plan: Plan) -> Iterator[Event]:
        seed = plan.configs[0].seed
        with self.lock:
            self.begun.append(seed)
            self.going[seed] += 1
            self.most = max(self.most, sum(self.going.values()))
        try:
            events = script(plan.configs[0])
            yield next(events)
            time.sleep(RUN_SECONDS)
            yield from events
        finally:
            with self.lock:
                self.going[seed] -= 1


def measure() -> Figure:
    log = Log()
    registry = RunManager(log.opener, capacity=CAPACITY)
    together = threading.Barrier(HOGS + OTHERS)
    runs = {}

    def visit(seed: int) -> None:
        lane = "hog" if seed < HOGS else f"visitor {seed}"
        token = registry.visitor("")
        together.wait()
        runs[seed] = registry.start(Plan.alone(SHORT.model_copy(update={"seed": seed})), token, lane=lane)

    visitors = [threading.Thread(target=visit, args=(seed,)) for seed in range(HOGS + OTHERS)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    idle = 0
    while not all(run.ended for run in runs.values()):
        counts = registry.counts()
        idle += counts["waiting"] > 0 and counts["running"] < CAPACITY
        for run in runs.values():
            registry.look(run.id)
        time.sleep(0.02)
    third = [seed for seed in log.begun if seed < HOGS][2]
    before = log.begun[: log.begun.index(third)]
    early = sum(seed >= HOGS for seed in before)
    last = max(log.begun.index(seed) for seed in range(HOGS, HOGS + OTHERS))
    turns = [1] * OTHERS + [sum(seed < HOGS for seed in log.begun[: last + 1])]
    jain = sum(turns) ** 2 / (len(turns) * sum(turn**2 for turn in turns))
    finished = sum(run.state == "finished" for run in runs.values())
    twice = len(log.begun) - len(set(log.begun))
    registry.close()
    return Figure(
        12,
        f"{HOGS + OTHERS} starts at once, {CAPACITY} places, {HOGS} of them by one",
        f"{CAPACITY} run, every other visitor before the hog's third, Jain index of turns ≥ 0.9, none lost or twice",
        f"at most {log.most} ran; {early} of {OTHERS} before it; Jain {jain:.3f} of the turns until all had one; "
        f"{HOGS + OTHERS - finished} lost, {twice} twice; a place free beside a queue at {idle} looks",
        log.most == CAPACITY
        and early == OTHERS
        and jain >= 0.9
        and finished == HOGS + OTHERS
        and not twice
        and not idle,
    )
