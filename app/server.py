"""The web server: our two routes and Gradio's page on one FastAPI application, started and stopped in order."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import gc
import importlib
import ipaddress
import itertools
import logging
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import uvicorn
from fastapi import FastAPI

from app.api.command_routes import command_routes
from app.api.commands import COMMANDS, Commands
from app.api.duration_routes import duration_routes
from app.api.errors import add_handlers
from app.api.example_routes import example_routes
from app.api.export_routes import export_route
from app.api.health import health_route
from app.api.join_routes import join_routes
from app.api.live_routes import routes
from app.api.poll_pacer import PollPacer
from app.api.replay_routes import replay_routes
from app.api.static_files import static_routes, static_version, style_sheets
from app.api.trial_routes import trial_routes
from app.api.upload_routes import bringing_route
from app.api.wrong_methods import refuse_wrong_methods
from app.content import messages
from app.content.source_pages import code_routes
from app.embeddings.explorer import Explorer
from app.embeddings.umap import UmapMaps
from app.embeddings.umap_process import UmapProcess
from app.environment import Environment
from app.fairness.executors import Executors
from app.fairness.request_slots import RequestSlots
from app.gradio_ui.compat import Ended, FrontPage, Refusals, enter_request, mount
from app.gradio_ui.page import build
from app.middleware.connections import Limits, connections
from app.middleware.security import guarded
from app.run_state.figure import sheet
from app.run_state.lab_figure import lab_sheet
from app.runs.class_codes import ClassCodes
from app.runs.exports import MOST_CONVERTED, Exports
from app.runs.history import RunHistory
from app.runs.limits import SECONDS, check_teacher
from app.runs.live_run import Source
from app.runs.manager import Opener, RunManager
from app.runs.onnx_export import onnx_of
from app.runs.plan import Plan
from app.runs.real_strips import RealStrips
from app.runs.recordings import Recordings
from app.runs.trials import Trials
from app.runs.uploaded_teachers import Uploads
from app.runs.zero_gpu import GpuLoan, zero_gpu_loan
from app.storage.run_store import Store
from app.support import event_log
from app.support.exhaustion import few_files, in_thread, missing, no_thread
from app.support.memory import give_back
from app.support.process import tell
from app.web_page.one_script import modules
from app.web_page.page import web_page
from nayer.cluster.ray_cluster import RayCluster, checked_address
from nayer.common.files import check_target, read_file, write_whole
from nayer.common.stopwatch import AwakeClock
from nayer.errors import ConfigError, StorageError
from nayer.exports import recording
from nayer.exports.gif import animation
from nayer.networks.cards import teacher_cards

log = logging.getLogger(__name__)
SWEEP_SECONDS = 2.0
GAP_SWEEPS = 5  # after such a time without a sweep the process was asleep, so no visitor's time ran out
MEMORY_SWEEPS = 10  # sweeps between two returns of freed memory
SWITCH_SECONDS = 0.001  # s that a Python thread keeps others waiting; a look changes threads ten times; default 0.005


def open_source(plan: Plan) -> Source:
    """Opens real runs. The core imports torch; without torch the page starts seconds sooner."""
    from nayer.runs.side_by_side import Lab

    return Lab(plan.configs, plan.seeds, plan.checkpoint, plan.uploaded)


@contextlib.contextmanager
def place_of(environment: Environment) -> Iterator[tuple[Environment, Opener]]:
    """Where runs work: in this process, or on a cluster, whose processors then decide the number of runs at once.

    NAYER_CAPACITY overrides that number, and a cluster that is started here then has so many processors. Raises
    ConfigError if there is no such cluster.
    """
    if not environment.runs_on:
        yield environment, open_source
        return
    address = checked_address("NAYER_RUNS_ON", environment.runs_on)
    chosen = bool(os.environ.get("NAYER_CAPACITY"))
    cluster = RayCluster(address, cpus=environment.capacity if chosen else 0, field="NAYER_RUNS_ON")
    try:
        if not chosen:
            environment = replace(environment, capacity=max(1, int(cluster.cpus)))
        yield environment, partial(open_on, cluster)
    finally:
        cluster.close()


def open_on(cluster: RayCluster, plan: Plan) -> Source:
    """Opens real runs on a cluster."""
    from nayer.cluster.remote_lab import RemoteLab

    return RemoteLab(cluster, plan.configs, plan.seeds, plan.checkpoint, plan.uploaded)


def load_core() -> None:
    """Loads the modules that the first run needs, so that it does not wait for them.

    `gc.freeze` then exempts the loaded objects, half a million of them. Otherwise Python's garbage collector
    checks all of them after about ten thousand new objects, also in the event loop. Each check takes a quarter of a
    second of a core.
    """
    importlib.import_module("nayer.runs.side_by_side")
    importlib.import_module("nayer.runs.memory_use").warm_up()
    gc.collect()
    gc.freeze()


def open_history(environment: Environment) -> RunHistory:
    """The history in the data folder, or a history without a store and a sentence that says why."""
    if environment.data is None:
        return RunHistory(without=messages.KEPT_OFF)
    try:
        store = Store(environment.data, network=environment.data_on_network, megabytes=environment.data_megabytes)
    except StorageError as error:
        return RunHistory(without=str(error))
    return RunHistory(store)


def create(environment: Environment, opener: Opener = open_source, gpu_loan: GpuLoan | None = None) -> FastAPI:
    """The whole application; `opener` turns a plan into a source. `gpu_loan`: the GPU of a ZeroGPU Space."""
    registry = RunManager(
        opener,
        capacity=environment.capacity,
        waiting=environment.waiting,
        grace_seconds=environment.grace_seconds,
        turn_seconds=math.inf if environment.local else SECONDS,
        clock=AwakeClock(GAP_SWEEPS * SWEEP_SECONDS),
        history=open_history(environment),
    )
    version, pools = static_version(), Executors()
    mapper = UmapProcess(pools.mapping)
    explorer = Explorer(pools, mapper, local=environment.local)
    teachers = teacher_cards()
    local, memory = environment.local, environment.run_memory
    uploads = Uploads(bears=partial(check_teacher, local=local, memory=memory))
    classes = ClassCodes(registry, time.monotonic)
    commands = Commands(registry, teachers, uploads, classes, local=local, memory=memory, gpu_loan=gpu_loan)
    kept = Recordings(registry, environment.recording)
    page = build(
        registry,
        commands,
        explorer,
        teachers,
        pools,
        version=version,
        local=environment.local,
        on_space=environment.on_space,
        greets=kept.greets,
        lends=gpu_loan is not None,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(_sweep(registry, uploads, pools))
        yield
        sweeper.cancel()
        await in_thread(registry.close)
        await in_thread(pools.close)
        event_log.event("server ends", "", **registry.counters.runs())

    application = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    add_handlers(application)
    application.add_middleware(Refusals)
    application.add_middleware(FrontPage)
    application.add_middleware(RequestSlots, waiting_commands=[one.name for one in COMMANDS if one.waits])
    application.add_middleware(Ended)
    application.state.registry = registry
    application.include_router(health_route(registry))
    application.include_router(command_routes(commands, registry.counters, pools.asking, pools.checking, enter_request))
    application.include_router(duration_routes(commands, pools.checking))
    application.include_router(code_routes())
    application.include_router(static_routes())
    application.include_router(example_routes())
    application.include_router(bringing_route(registry, uploads, pools.work))
    application.include_router(replay_routes(kept, pools.work))
    application.include_router(join_routes(classes))
    application.include_router(trial_routes(Trials(registry, teachers), RealStrips(teachers), pools.trying))
    application.include_router(
        export_route(
            Exports(
                registry,
                kept,
                pools.work,
                lambda events: pools.drawing.call(animation, events),
                lambda lab: pools.drawing.call(lab_sheet, lab),
                lambda student: pools.exporting.call(onnx_of, student),
                converting=pools.converting,
                most_converted=math.inf if local else MOST_CONVERTED,
            )
        )
    )
    application.include_router(
        routes(
            registry,
            UmapMaps(registry, pools.umap, mapper).look,
            explorer.answer_form,
            PollPacer(1.0 if environment.local else 2.0),
            pools.work,
            lambda view: pools.drawing.call(sheet, view),
        )
    )
    refuse_wrong_methods(application)
    styles = "".join(f'<link rel="stylesheet" href="stage/{version}/{name}">' for name in style_sheets())
    needed = reversed(modules("live/live_page.js"))  # the first picture waits for them: fetched beside Gradio's own
    scripts = "".join(f'<link rel="modulepreload" href="stage/{version}/{name}">' for name in needed)
    head = f'{styles}{scripts}<meta name="color-scheme" content="light dark">'
    mount(application, page, head)
    application.add_middleware(
        guarded,
        hosts=environment.hosts,
        origins=environment.origins,
        proxies=environment.proxies,
        alone=environment.local,
        framed_by_space=environment.on_space,
        answered=registry.counters.answered,
    )
    return application


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until interrupted. `--port` overrides PORT. Exit code: 2 for wrong usage, 1 for an unavailable port."""
    try:
        environment = Environment.read(os.environ)
    except ConfigError as error:
        _leave(str(error), 2)
    parser = argparse.ArgumentParser(prog="python app.py", description="Serve the page.")
    parser.add_argument("--port", type=int, default=environment.port, help="port; 0 takes any free one")
    parser.add_argument(
        "--host", default=environment.host, help="address to listen on; 127.0.0.1 serves this machine only"
    )
    parser.add_argument(
        "--recording", type=Path, default=environment.recording, help="play this saved run to every new visitor"
    )
    parser.add_argument(
        "--web-page", type=Path, help="write the recording as a web page to this file, and serve nothing"
    )
    chosen = parser.parse_args(arguments)
    if chosen.web_page is not None:
        try:
            write_web_page(chosen.recording, chosen.web_page)
        except KeyboardInterrupt:
            _leave("Stopped. Nothing was written.", 128 + signal.SIGINT)
        return
    if not 0 <= chosen.port <= 65535:
        parser.error(f"--port must be a whole number from 0 to 65535; {chosen.port} was given.")
    if sentence := few_files():
        _leave(sentence, 1)
    environment = replace(environment, port=chosen.port, host=chosen.host, recording=chosen.recording)
    event_log.begin()
    sys.setswitchinterval(SWITCH_SECONDS)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again after the shutdown
        try:
            _serve(environment)
        except (RuntimeError, OSError, MemoryError) as error:
            if not (what := missing(error)):
                raise
            _leave(f"The machine has no {what} to spare for this page; end other programs, or allow more.", 1)


def _serve(environment: Environment) -> None:
    with _listening(environment) as listener, contextlib.ExitStack() as open_places:
        try:
            environment, opener = open_places.enter_context(place_of(environment))
            application = create(environment, opener, zero_gpu_loan(os.environ))
        except StorageError as error:
            _leave(str(error), 1)
        except ConfigError as error:
            _leave(str(error), 2)
        config = serving(application, Limits(exempt=lambda peer: is_shared_peer(peer, environment)))
        _Server(config).run(sockets=[listener])


def write_web_page(recorded: Path | None, target: Path) -> None:
    """Writes the web page of a recording. Leaves with exit code 1 and a sentence if that fails."""
    if recorded is None:
        _leave("--web-page needs a recording; name one with --recording.", 2)
    try:
        events = recording.load(recorded)
        check_target(target)
        if target.exists() and target.samefile(recorded):
            _leave(f"--web-page={str(target)!r} is the recording itself; name another file.", 2)
        write_whole(target, web_page(events, read_file(recorded, recording.LARGEST)))
    except (StorageError, ConfigError) as error:
        _leave(str(error), 1)
    except OSError as error:
        _leave(
            f"recording={str(recorded)!r} cannot be read ({error.strerror}); name a file that a run was saved to.", 1
        )


def serving(application: FastAPI, limits: Limits, **more: Any) -> uvicorn.Config:
    """The configuration of uvicorn; `more` overrides it."""
    settled: dict[str, Any] = {
        "loop": "asyncio",  # uvloop closes the listening socket when the process has no file left
        "http": connections(limits),
        "log_config": None,  # ours
        "access_log": False,
        "ws": "none",
        "proxy_headers": False,  # Forwarded reads them, and knows the trusted proxies
        "timeout_keep_alive": 20,
        "timeout_graceful_shutdown": 3,
    }
    return uvicorn.Config(application, **(settled | more))


def is_shared_peer(peer: str, environment: Environment) -> bool:
    """Whether connections from that address belong to many visitors: a proxy, or a page for this machine alone."""
    if environment.local:
        return True
    known = ipaddress.ip_address(peer) if peer else None
    return known is not None and any(known in network for network in environment.proxies)


def _listening(environment: Environment) -> socket.socket:
    """Opens the port before other modules load, so that an unavailable port gives an error at once."""
    host, port = environment.host, environment.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        host.encode("idna")
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            _leave(f"port={port} is in use on {host}; stop the other program, or choose another port with --port.", 1)
        reason = getattr(error, "strerror", "not a host name")
        _leave(f"host={host[:60]!r} with port={port} cannot be served ({reason}); try --host 127.0.0.1.", 1)


def _leave(sentence: str, code: int) -> NoReturn:
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(code)


class _Server(uvicorn.Server):
    """A server that prints its address when it is ready to answer."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            visible_host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
            if ":" in visible_host:
                visible_host = f"[{visible_host}]"
            tell(f"Open http://{visible_host}:{port} in a browser.")
            event_log.event("server begins")
            # Not a daemon: the end of Python waits for it. torch aborts the process if its thread is cut off.
            try:
                threading.Thread(target=load_core).start()
            except RuntimeError as error:
                if not no_thread(error):
                    raise
                log.warning("the machine has no threads to spare, so the first run will wait for its modules")


async def _sweep(registry: RunManager, uploads: Uploads, pools: Executors) -> None:
    """The housekeeping, again and again. A part that fails, for example without a thread or memory, comes again."""
    for sweep in itertools.count():
        await asyncio.sleep(SWEEP_SECONDS)
        parts: list[Callable[[], object]] = [registry.sweep, uploads.tidy, pools.tidy]
        if sweep % MEMORY_SWEEPS == 0:
            parts.append(give_back)
        for part in parts:
            try:
                await in_thread(part)
            except Exception:
                log.exception("a part of the housekeeping failed")
