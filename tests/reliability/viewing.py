"""Viewers of a run as the page makes them: they ask what is new, and fetch each picture that they are told of."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import httpx


@dataclass
class Viewers:
    """`count` viewers of a run. `answers`: seconds of each; `ages`: seconds from the first sight of a frame by anybody,
    the most attentive viewer included, until another viewer has its picture."""

    url: str
    run: str
    count: int
    every: float  # seconds between two questions
    answers: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    failures: int = 0
    _first: dict[int, float] = field(default_factory=dict)

    async def watch(self, seconds: float) -> None:
        limits = httpx.Limits(max_connections=self.count + 2)
        async with httpx.AsyncClient(base_url=self.url, timeout=20.0, limits=limits) as client:
            until = time.monotonic() + seconds
            viewers = [self._view(client, until, number * self.every / self.count) for number in range(self.count)]
            await asyncio.gather(self._view(client, until, 0.0, attentive=True), *viewers)

    async def _view(self, client: httpx.AsyncClient, until: float, after: float, *, attentive: bool = False) -> None:
        seq, seen = 0, -1
        await asyncio.sleep(after)
        while time.monotonic() < until:
            began = time.monotonic()
            answer = await client.get(f"/live/{self.run}/status", params={"since": seq})
            if not attentive:
                self.answers.append(time.monotonic() - began)
            if answer.status_code == 200:
                news = answer.json()
                seq = news["seq"]
                newest = max((row["frame"] for row in news.get("rows", [])), default=-1)
                if newest > seen:
                    seen = newest
                    self._first.setdefault(newest, time.monotonic())
                    if not attentive:
                        await self._fetch(client, newest)
            elif answer.status_code != 204:
                self.failures += 1
            await asyncio.sleep(0.25 if attentive else max(self.every, float(answer.headers.get("Ask-Again", 0.0))))

    async def _fetch(self, client: httpx.AsyncClient, frame: int) -> None:
        picture = await client.get(f"/live/{self.run}/frame/{frame}.jpg")
        if picture.status_code == 200:
            self.ages.append(time.monotonic() - self._first[frame])


def share(values: list[float], part: float) -> float:
    """The value that `part` of them do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
