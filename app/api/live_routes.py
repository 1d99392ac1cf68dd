"""The routes that the page polls: news as JSON, pictures as JPEG."""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from cachetools import TTLCache
from fastapi import APIRouter, Depends, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from app.api.cache_control import FOREVER, NOT_KEPT
from app.api.errors import BUSY_SECONDS
from app.api.lab_serializer import lab_payload
from app.api.poll_pacer import PollPacer
from app.api.validation import Whole, Wholes
from app.fairness.fair_cache import FairCache
from app.fairness.fair_executor import Busy, FairExecutor
from app.fairness.request_slots import FINDING
from app.middleware.client_address import address
from app.middleware.lanes import Lanes
from app.run_state.model import View
from app.run_state.serializer import answers, payload, rounds
from app.runs.live_run import LiveRun
from app.runs.manager import RunManager

FRESH_SECONDS = 0.5  # the first update of a new viewer may be this old
_SHEET_BYTES = 8 << 20  # all kept sheets together; one is 0.2 MB


def news(run: LiveRun, arm: Whole, since: Whole) -> bytes | None:
    """The news of an arm since `since`, as JSON. None when nothing is new."""
    return written(payload(run.refresh(arm), since))


def written(news: dict[str, Any] | None) -> bytes | None:
    """The news as JSON; None stays None."""
    return None if news is None else json.dumps(news, ensure_ascii=False, allow_nan=False).encode()


class SnapshotCache:
    """The first update of a new viewer: the full view of a run. Viewers who arrive at about the same time share it.

    They miss nothing: their next request asks for what is new since the `seq` of this update.
    """

    def __init__(
        self, tell: Callable[[LiveRun, int], bytes | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        # the key: run, arm, whether the run ended
        self._latest: TTLCache[tuple[LiveRun, int, bool], bytes] = TTLCache(math.inf, FRESH_SECONDS, clock)

    def of(self, run: LiveRun, arm: Whole) -> bytes | None:
        """JSON of the full view of an arm, at most FRESH_SECONDS old. None when there is nothing to show."""
        with self._lock:
            key = run, arm, run.ended
            news = self._latest.get(key)
            if news is None and (news := self._tell(run, arm)) is not None:
                self._latest[key] = news
            return news


class Sheets:
    """Pictures of whole runs. One takes a second of a core. It is drawn once, in a turn, for all viewers who ask
    at the same time. It is kept until the run continues."""

    def __init__(self, turns: FairExecutor, draw: Callable[[View], bytes]) -> None:
        self._turns = turns
        self._draw = draw
        self._kept: FairCache[tuple[str, int], bytes] = FairCache(_SHEET_BYTES, len)  # by run and seq

    async def of(self, run: LiveRun) -> bytes:
        """PNG. Raises Busy."""
        view = await run_in_threadpool(run.refresh)
        kept = self._kept.get((run.id, view.seq))
        return kept if kept is not None else await self._turns.run(lambda: self._drawn(run), key=("sheet", run.id))

    def _drawn(self, run: LiveRun) -> bytes:
        view = run.refresh()
        png = self._draw(view)
        self._kept.put((run.id, view.seq), png, address())
        return png


def routes(
    registry: RunManager,
    umap: Callable[[str], dict[str, object]],
    explore: Callable[[Mapping[str, Any]], dict[str, Any]],
    rhythm: PollPacer,
    turns: FairExecutor,
    draw: Callable[[View], bytes],
) -> APIRouter:
    """`umap` gives the state of a run's UMAP map, and starts the worker at the first call. `explore` answers the form
    of the embedding explorer. `rhythm` says when a viewer asks again. `turns` runs long work. `draw` makes the
    picture of a whole run, in a separate process."""
    sheets, finding = Sheets(turns, draw), Lanes(FINDING)

    async def loaded(run: str) -> None:
        """Loads a run of the past, for each address a few at a time: that keeps Python busy on the threads of looks."""
        if not registry.in_memory(run):
            async with finding.turn():
                await run_in_threadpool(registry.find, run)

    router, of_run = APIRouter(), APIRouter(dependencies=[Depends(loaded)])
    snapshots = SnapshotCache(lambda run, arm: news(run, arm, 0))

    def news_of(run: LiveRun, new: bytes | None) -> Response:
        """The news, if there is any, and when to ask again."""
        again = rhythm.again(quick=run.pace > 0 or run.state == "paused")
        headers = NOT_KEPT | {"Ask-Again": f"{again:.2f}"}
        if new is None:
            return Response(status_code=204, headers=headers)
        return Response(new, media_type="application/json", headers=headers)

    @of_run.get("/live/{run}/status")
    @of_run.get("/live/{run}/arm/{arm}/status")
    def status(run: str, arm: Whole = 0, since: Whole = 0) -> Response:
        found = registry.look(run)
        return news_of(found, snapshots.of(found, arm) if since <= 0 else news(found, arm, since))

    @of_run.get("/live/{run}/rounds")
    def sample_rounds(run: str, since: Whole = 0) -> Response:
        found = registry.look(run)
        return news_of(found, written(rounds(found.refresh(), since)))

    @of_run.get("/live/{run}/answers")
    def test_answers(run: str, since: Whole = 0) -> Response:
        """What teacher and student say of the test images, by round."""
        found = registry.look(run)
        return news_of(found, written(answers(found.refresh(), since)))

    @of_run.get("/live/{run}/frame/{seq}.jpg")
    @of_run.get("/live/{run}/arm/{arm}/frame/{seq}.jpg")
    def frame(run: str, seq: Whole, arm: Whole = 0) -> Response:
        return _picture(registry.find(run).frame(seq, arm), f"frame={seq}")

    @of_run.get("/live/{run}/lab")
    def lab(run: str, since: Wholes = "") -> Response:
        """All arms in one answer; `since` is the `seq` of an earlier one."""
        found = registry.look(run)
        seen = [int(part) for part in since.split(",") if part]
        arms = len(found.plan.arms)
        return news_of(found, written(lab_payload(found, seen if len(seen) == arms else [0] * arms)))

    @of_run.get("/live/{run}/round/{round_}")
    @of_run.get("/live/{run}/arm/{arm}/round/{round_}")
    def batch_facts(run: str, round_: Whole, arm: Whole = 0) -> Response:
        """The facts about the images behind a point, and the `number` of their picture."""
        found = registry.find(run).batch(round_, arm)
        if found is None:
            return JSONResponse(
                {"error": (f"round={round_} has no images yet, or they are no longer kept.")}, status_code=404
            )
        names = ("round", "number", "labels", "teacher", "student", "label_accuracy", "by_class")
        batch, (earlier, later) = found
        facts = {name: getattr(batch, name) for name in names} | {"earlier": earlier, "later": later}
        return JSONResponse(facts, headers=NOT_KEPT)

    @of_run.get("/live/{run}/batch/{number}.jpg")
    @of_run.get("/live/{run}/arm/{arm}/batch/{number}.jpg")
    def batch_picture(run: str, number: Whole, arm: Whole = 0) -> Response:
        return _picture(registry.find(run).batch_picture(number, arm), f"batch={number}")

    @of_run.get("/live/{run}/sheet.png")
    async def sheet_picture(run: str) -> Response:
        png = await sheets.of(await run_in_threadpool(registry.find, run))
        return Response(png, media_type="image/png", headers=NOT_KEPT)

    @of_run.get("/live/{run}/umap")
    def umap_map(run: str) -> Response:
        return JSONResponse(umap(run), headers=NOT_KEPT)

    @router.post("/explore")
    async def explored(form: dict[str, object]) -> Response:
        try:
            return await turns.run(lambda: JSONResponse(explore(form), headers=NOT_KEPT))
        except Busy as error:  # the page asks again
            await asyncio.sleep(BUSY_SECONDS)
            return JSONResponse({"state": "loading", "sentence": str(error)}, status_code=429, headers=error.headers)

    router.include_router(of_run)
    return router


def _picture(content: bytes | None, name: str) -> Response:
    """A JPEG that never changes, or 404 for a picture that is gone. `name` names the picture in the sentence."""
    if content is None:
        return JSONResponse({"error": f"{name} is no longer kept."}, status_code=404)
    return Response(content, media_type="image/jpeg", headers=FOREVER)
