"""The real server in a thread of the test, on a free loopback port."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

from app import server
from app.environment import Environment
from app.middleware.client_address import _ADDRESS
from app.middleware.connections import Limits
from app.runs.manager import Opener, RunManager
from app.runs.zero_gpu import GpuLoan
from app.server import create, open_source

T = TypeVar("T")


def in_a_loop(make: Callable[[], T]) -> T:
    """The result of `make`, in an event loop. Without a loop, Gradio makes its own loops and never closes them."""

    async def run() -> T:
        return make()

    with ThreadPoolExecutor(1) as thread:  # Playwright keeps a loop running in the test's own
        return thread.submit(lambda: asyncio.run(run())).result()


def created(
    opener: Opener = open_source, environment: Environment | None = None, gpu_loan: GpuLoan | None = None
) -> FastAPI:
    """The whole application."""
    return in_a_loop(lambda: create(environment or Environment(grace_seconds=30.0), opener, gpu_loan))


class Served:
    """The address of the server, and its runs."""

    def __init__(self, url: str, registry: RunManager) -> None:
        self.url = url
        self.registry = registry


@contextmanager
def at(lane: str) -> Iterator[None]:
    """Calls in the block come from that address."""
    token = _ADDRESS.set(lane)
    try:
        yield
    finally:
        _ADDRESS.reset(token)


@contextmanager
def serving(
    opener: Opener = open_source, environment: Environment | None = None, limits: Limits | None = None
) -> Iterator[Served]:
    """Serves until the block ends. Then every run has ended too."""
    application = created(opener, environment)
    config = server.serving(
        application, limits or Limits(), host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1
    )
    serves = uvicorn.Server(config)
    thread = threading.Thread(target=serves.run, daemon=True)
    thread.start()
    until = time.monotonic() + 60
    while not serves.started:
        assert time.monotonic() < until, "the server did not start"
        assert thread.is_alive(), "the server ended at once"
        time.sleep(0.02)
    port = serves.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(f"http://127.0.0.1:{port}", application.state.registry)
    finally:
        serves.should_exit = True
        thread.join(20)


def wait_until(true: Callable[[], bool], seconds: float = 30.0, what: str = "it") -> None:
    """Polls a condition. The bound is much longer than needed, for slow machines."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"{what} did not come true"
        time.sleep(0.02)
