"""The plain routes that the page polls: what is new as JSON, pictures as JPEG."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from app.api.lab_serializer import lab_payload
from app.api.poll_pacer import PollPacer
from app.api.static_files import FOREVER
from app.api.validation import Whole, Wholes
from app.fairness.fair_cache import FairCache
from app.fairness.fair_executor import AGAIN, Busy, FairExecutor
from app.middleware.client_address import address
from app.run_state.model import View
from app.run_state.serializer import payload, rounds
from app.runs.live_run import LiveRun, NoSuchArm
from app.runs.manager import RunManager
from app.runs.registry import NoSuchRun, TooManyGuesses
from app.support.worker_process import WorkerLost
from nayer.errors import NayerError

FRESH_SECONDS = 0.5  # how old what a new viewer sees first may be
BUSY_SECONDS = 1.0  # that a refusal waits, in which it costs nothing
_SHEET_BYTES = 8 << 20  # of all sheets that are kept; one is 0.2 MB


def told(run: LiveRun, arm: Whole, since: Whole) -> bytes | None:
    """What is new of an arm since `since`, as JSON; None when nothing is."""
    return written(payload(run.refresh(arm), since))


def written(news: dict[str, Any] | None) -> bytes | None:
    """As JSON; None stays None."""
    return None if news is None else json.dumps(news, ensure_ascii=False, allow_nan=False).encode()


class SnapshotCache:
    """All there is to see of a run, for whoever begins to look: written out once for all who do within a moment.

    Nobody misses anything by that, for what is new is asked for from the `seq` that was told.
    """

    def __init__(
        self, tell: Callable[[LiveRun, int], bytes | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._latest: dict[tuple[LiveRun, int, bool], tuple[float, bytes | None]] = {}  # by run, arm, whether it ended

    def of(self, run: LiveRun, arm: Whole) -> bytes | None:
        with self._lock:
            key = run, arm, run.ended
            when, news = self._latest.get(key, (-FRESH_SECONDS, None))
            if news is None or self._clock() - when >= FRESH_SECONDS:
                news = self._tell(run, arm)
                now = self._clock()
                self._latest = {key: kept for key, kept in self._latest.items() if now - kept[0] < FRESH_SECONDS}
                self._latest[key] = (now, news)
            return news


class Sheets:
    """The picture of a whole run takes a second of a core: drawn in a turn, once for all who ask meanwhile, and kept
    until the run goes on."""

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
    """`umap` gives the state of a run's UMAP map, and warms the worker at the first call; `explore` answers the form
    of the embedding explorer; `rhythm` says when a viewer asks again; what takes long is done in `turns`; `draw`
    makes the picture of a whole run, in a process of its own."""
    router = APIRouter()
    sheets = Sheets(turns, draw)
    beginnings = SnapshotCache(lambda run, arm: told(run, arm, 0))

    def news_of(run: LiveRun, news: bytes | None) -> Response:
        """What is new, if anything, and when to ask again."""
        again = rhythm.again(quick=run.pace > 0 or run.state == "paused")
        headers = {"Cache-Control": "no-store", "Ask-Again": f"{again:.2f}"}
        if news is None:
            return Response(status_code=204, headers=headers)
        return Response(news, media_type="application/json", headers=headers)

    @router.get("/live/{run}/status")
    @router.get("/live/{run}/arm/{arm}/status")
    def status(run: str, arm: Whole = 0, since: Whole = 0) -> Response:
        try:
            found = registry.look(run)
            return news_of(found, beginnings.of(found, arm) if since <= 0 else told(found, arm, since))
        except (NoSuchRun, NoSuchArm) as error:
            return gone(error)

    @router.get("/live/{run}/rounds")
    def sample_rounds(run: str, since: Whole = 0) -> Response:
        try:
            found = registry.look(run)
            return news_of(found, written(rounds(found.refresh(), since)))
        except NoSuchRun as error:
            return gone(error)

    @router.get("/live/{run}/frame/{seq}.jpg")
    @router.get("/live/{run}/arm/{arm}/frame/{seq}.jpg")
    def frame(run: str, seq: Whole, arm: Whole = 0) -> Response:
        try:
            picture = registry.find(run).frame(seq, arm)
        except NoSuchRun as error:
            return gone(error)
        if picture is None:
            return JSONResponse({"error": f"frame={seq} is not kept any more."}, status_code=404)
        return Response(picture, media_type="image/jpeg", headers={"Cache-Control": FOREVER})

    @router.get("/live/{run}/lab")
    def lab(run: str, since: Wholes = "") -> Response:
        """All arms in one answer; `since` is the `seq` of an earlier one."""
        try:
            found = registry.look(run)
        except NoSuchRun as error:
            return gone(error)
        seen = [int(part) for part in since.split(",") if part]
        arms = len(found.plan.arms)
        return news_of(found, written(lab_payload(found, seen if len(seen) == arms else [0] * arms)))

    @router.get("/live/{run}/round/{round_}")
    @router.get("/live/{run}/arm/{arm}/round/{round_}")
    def batch_facts(run: str, round_: Whole, arm: Whole = 0) -> Response:
        """The images behind a point: what is known of them, and the `number` under which their picture lies."""
        try:
            found = registry.find(run).batch(round_, arm)
        except (NoSuchRun, NoSuchArm) as error:
            return gone(error)
        if found is None:
            return JSONResponse({"error": f"round={round_} has no images yet, or none are kept."}, status_code=404)
        names = ("round", "number", "labels", "teacher", "student", "label_hit", "by_class")
        batch, (earlier, later) = found
        facts = {name: getattr(batch, name) for name in names} | {"earlier": earlier, "later": later}
        return JSONResponse(facts, headers={"Cache-Control": "no-store"})

    @router.get("/live/{run}/batch/{number}.jpg")
    @router.get("/live/{run}/arm/{arm}/batch/{number}.jpg")
    def batch_picture(run: str, number: Whole, arm: Whole = 0) -> Response:
        try:
            picture = registry.find(run).batch_picture(number, arm)
        except (NoSuchRun, NoSuchArm) as error:
            return gone(error)
        if picture is None:
            return JSONResponse({"error": f"batch={number} is not kept any more."}, status_code=404)
        return Response(picture, media_type="image/jpeg", headers={"Cache-Control": FOREVER})

    @router.get("/live/{run}/sheet.png")
    async def picture(run: str) -> Response:
        try:
            png = await sheets.of(await run_in_threadpool(registry.find, run))
        except NoSuchRun as error:
            return gone(error)
        except Busy as error:
            return await busy(error)
        except WorkerLost as error:
            return lost(error)
        return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})

    @router.get("/live/{run}/umap")
    def umap_map(run: str) -> Response:
        try:
            return JSONResponse(umap(run), headers={"Cache-Control": "no-store"})
        except NoSuchRun as error:
            return gone(error)

    @router.post("/explore")
    async def explored(form: dict[str, object]) -> Response:
        try:
            return await turns.run(lambda: JSONResponse(explore(form), headers={"Cache-Control": "no-store"}))
        except Busy as error:  # the page asks again
            await asyncio.sleep(BUSY_SECONDS)
            return JSONResponse({"state": "loading", "sentence": str(error)}, status_code=429, headers=error.headers)

    return router


async def busy(error: Busy) -> Response:
    """For whoever asks for more at once than their address may; after a moment, so that it is not asked in a loop."""
    await asyncio.sleep(BUSY_SECONDS)
    return JSONResponse({"error": str(error)}, status_code=429, headers=error.headers)


def lost(error: WorkerLost) -> Response:
    """For whoever asked for what could not be made now."""
    return JSONResponse({"error": str(error)}, status_code=503, headers={"Retry-After": str(AGAIN)})


def gone(error: NayerError) -> Response:
    """For a run that is not here, and for whoever named too many such."""
    status = 429 if isinstance(error, TooManyGuesses) else 404
    return JSONResponse({"error": str(error)}, status_code=status, headers={"Cache-Control": "no-store"})
