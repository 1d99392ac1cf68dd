"""However many look, a picture is encoded once, and what waits for a slow one is bounded."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from app.api import live_routes
from app.fairness.executors import Executors
from app.run_state import batches, frames
from app.run_state.figure import sheet
from app.run_state.model import View
from app.runs.live_run import LiveRun
from app.runs.plan import Plan
from app.support.images import Pixels, jpeg
from nayer.events import RoundSynthesized, RunStarted
from nayer.runs.broadcast import BYTES, Subscriber
from nayer.runs.session import Session
from tests.support.scripted import SHORT, Scripted, script, synthesized
from tests.support.serving import wait_until

VIEWERS = 50


def finished(seed: int = 0) -> LiveRun:
    plan = Plan.alone(SHORT.model_copy(update={"seed": seed, "rounds": 12}))
    return LiveRun(plan, "token", Session(lambda: Scripted(lambda: script(plan.configs[0]))), waiting=False)


@pytest.mark.parametrize("module", [frames, batches], ids=["frames", "batches"])
def test_fifty_viewers_cost_one_encoding_of_each_picture(monkeypatch: pytest.MonkeyPatch, module: object) -> None:
    encoded: Counter[bytes] = Counter()

    def counting(images: Pixels) -> bytes:
        encoded[images.tobytes()] += 1
        return jpeg(images)

    monkeypatch.setattr(module, "jpeg", counting)
    run = finished()
    run.session.set_pace(0.001)
    run.session.start()

    def watch(_: int) -> View:
        while not run.ended:
            for row in run.refresh().rows:
                assert run.frame(row.seq)
        return run.refresh()

    with ThreadPoolExecutor(VIEWERS) as viewers:
        views = list(viewers.map(watch, range(VIEWERS)))
    assert {view.seq for view in views} == {views[0].seq}
    assert len(encoded) >= 12  # a batch a round, and a row at least
    assert set(encoded.values()) == {1}


def test_a_sheet_is_drawn_once_for_all_who_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []

    def counting(view: View) -> bytes:
        drawn.append(view.seq)
        return sheet(view)

    run = finished()
    run.session.start()
    assert run.session.join(20)
    sheets = live_routes.Sheets(Executors().work, counting)

    async def taken(viewers: int) -> list[bytes]:
        return await asyncio.gather(*(sheets.of(run) for _ in range(viewers)))

    assert len({*asyncio.run(taken(8)), *asyncio.run(taken(1))}) == 1
    assert len(drawn) == 1


def test_what_waits_for_a_slow_viewer_is_bounded_in_bytes_and_the_newest() -> None:
    rng = np.random.default_rng(0)
    inbox = Subscriber(capacity=10_000)
    inbox.put(next(script(SHORT)))
    one = synthesized(0, rng, pool=8, capacity=16)
    images = np.zeros((200, 3, 32, 32), np.uint8)  # as large as they come
    for round_ in range(200):
        inbox.put(replace(one, round=round_, images=images))
    kept = inbox.drain()
    rounds = [event.round for event in kept if isinstance(event, RoundSynthesized)]
    assert isinstance(kept[0], RunStarted)
    assert rounds == list(range(200 - len(rounds), 200))
    assert 0.9 * BYTES < len(rounds) * images.nbytes <= BYTES
    assert inbox.dropped == 200 - len(rounds)
    inbox.put(one)
    assert inbox.drain() == [one]


def test_whoever_begins_to_look_within_a_moment_is_told_the_same_and_then_what_is_new() -> None:
    now, told = [0.0], []

    def tell(run: LiveRun, arm: int) -> bytes | None:
        told.append(arm)
        return live_routes.news(run, arm, 0)

    run = finished()
    run.session.start(paused=True)
    snapshots = live_routes.SnapshotCache(tell, lambda: now[0])
    with ThreadPoolExecutor(8) as viewers:
        answers = set(viewers.map(lambda _: snapshots.of(run, 0), range(20)))
    assert len(told) == len(answers) == 1
    first = json.loads(answers.pop() or b"{}")
    run.session.step("round")
    wait_until(lambda: run.refresh().rounds_done == 1)
    assert json.loads(snapshots.of(run, 0) or b"{}") == first  # a little old, and it says how old
    later = json.loads(live_routes.news(run, 0, first["seq"]) or b"{}")
    assert [row["round"] for row in later["rows"]] == [0]
    now[0] += live_routes.FRESH_SECONDS
    assert json.loads(snapshots.of(run, 0) or b"{}")["rounds_done"] == 1
    run.session.stop()
    assert run.session.join(10)
    before = len(told)
    assert json.loads(snapshots.of(run, 0) or b"{}")["state"] == "stopped"  # how it ended is never late
    for _ in range(20):
        snapshots.of(run, 0)
    assert len(told) == before + 1  # and is written out once, too
