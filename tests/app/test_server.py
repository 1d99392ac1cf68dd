"""`python app.py` as a process: says where it is, keeps heavy libraries out of its start, goes when asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from app import server
from app.environment import RECORDING
from app.gradio_ui.compat import LOOKS_EVERY
from app.middleware.json_body import TEACHER_BODY
from app.server import main
from tests.support.forks import Done, Forks
from tests.support.repository import ROOT
from tests.support.serving import serving, wait_until


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "app.py", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        yield process
        process.kill()


def post(url: str, *data: object) -> dict[str, str]:
    body = json.dumps({"data": data}).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=60) as answer:
        told: dict[str, str] = json.load(answer)["data"][0]
        return told


def test_the_page_seldom_looks_whether_anybody_wants_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(delay: float, result: object = None) -> object:
        pauses.append(delay)
        return await sleep(delay, result)

    with serving() as served:
        urlopen(served.url, timeout=60).close()
        monkeypatch.setattr(asyncio, "sleep", noted)
        wait_until(lambda: len(pauses) > 5)
        assert min(pauses) >= LOOKS_EVERY


@pytest.mark.parametrize("asked", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_it_says_its_address_and_stops_when_asked_in_mid_run(
    process: subprocess.Popen[str], asked: signal.Signals
) -> None:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"Open (http://127\.0\.0\.1:\d+) in a browser\.\n", line)
    assert found, line
    with urlopen(found[1], timeout=60) as page:
        assert page.status == 200
    begun = post(f"{found[1]}/gradio_api/run/start", "digits", "nayer", 0, "lte", 1000, {}, "")
    assert begun["state"] == "running"
    process.send_signal(asked)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode in (0, -asked)
    assert "Traceback" not in rest


def test_nothing_that_is_loaded_is_looked_through_again() -> None:
    """By Python's collector of cycles: a quarter of a second of the event loop, which strangers' bodies cost it."""
    code = (
        "import gc; from app.server import load_core; load_core(); print(gc.get_freeze_count(), len(gc.get_objects()))"
    )
    told = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    frozen, looked_through = map(int, told.stdout.split())
    assert frozen > 100_000 > 20 * looked_through


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--port", "x"], ["--colour", "red"]])
def test_a_wrong_flag_is_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert arguments[-1] in capsys.readouterr().err


def test_a_wrong_variable_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PORT", "here")
    with pytest.raises(SystemExit) as left:
        main([])
    assert left.value.code == 2
    assert capsys.readouterr().err == "PORT must be a whole number from 0 to 65535; 'here' was given.\n"


def test_a_taken_port_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as left:
            main(["--port", str(port)])
    assert left.value.code == 1
    told = capsys.readouterr().err
    assert told == f"port={port} is in use on 127.0.0.1; stop the other program, or choose another port with --port.\n"


@pytest.mark.parametrize("host", ["\u00e4..b", "a" * 64, "no name"])
def test_a_host_that_is_none_is_one_sentence(capsys: pytest.CaptureFixture[str], host: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--host", host, "--port", "0"])
    assert left.value.code == 1
    told = capsys.readouterr().err
    assert re.fullmatch(r"host='.{1,60}' with port=0 cannot be served \([^\n]+\); try --host 127\.0\.0\.1\.\n", told)


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with Forks(tmp_path_factory.mktemp("forks")) as forks:
        yield forks


def test_ctrl_c_while_the_server_is_imported_shows_no_traceback() -> None:
    code = """
import builtins, runpy, signal
real = builtins.__import__
def stop(name, *more, **named):
    if name == "uvicorn":
        signal.raise_signal(signal.SIGINT)
    return real(name, *more, **named)
builtins.__import__ = stop
runpy.run_path("app.py", run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


def test_ctrl_c_while_the_page_is_made_shows_no_traceback(forks: Forks) -> None:
    """That is after its port is open."""
    code = """
import signal
server.create = lambda *given: signal.raise_signal(signal.SIGINT)
server.main(["--port", "0"])
"""
    done = forks.run(code)
    assert done.status in (-signal.SIGINT, 0), done.err
    assert "Traceback" not in done.err


def test_a_process_that_may_open_few_files_is_told_so(forks: Forks) -> None:
    code = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
server.main(["--port", "0"])
"""
    sentence = "This process may open 20 files, and the page needs 64; allow more with ulimit -n.\n"
    assert forks.run(code) == Done(1, "", sentence)


def test_a_machine_without_threads_is_told_in_one_sentence(forks: Forks, tmp_path: Path) -> None:
    code = """
import threading
def start(thread):
    raise RuntimeError("can't start new thread")
threading.Thread.start = start
server.main(["--port", "0"])
"""
    sentence = "The machine has no threads to spare for this page; end other programs, or allow more.\n"
    assert forks.run(code, {"NAYER_DATA": str(tmp_path)}) == Done(1, "", sentence)


def test_ctrl_c_while_a_web_page_is_made_shows_no_traceback(forks: Forks, tmp_path: Path) -> None:
    code = f"""
import signal
server.web_page = lambda *given: signal.raise_signal(signal.SIGINT)
server.main(["--recording", {str(RECORDING)!r}, "--web-page", {str(tmp_path / "run.html")!r}])
"""
    assert forks.run(code) == Done(130, "", "Stopped. Nothing was written.\n")
    assert not list(tmp_path.iterdir())


def test_the_end_waits_for_what_is_still_loaded(forks: Forks) -> None:
    """torch aborts a process that ends while a thread is in its code."""
    code = """
import os, signal, threading
def load():
    os.kill(os.getpid(), signal.SIGINT)
    threading.main_thread().join(5)
    print("loaded")
server.load_core = load
server.main(["--port", "0"])
"""
    done = forks.run(code)
    assert (done.status, done.out.splitlines()[-1]) == (0, "loaded")


def test_the_address_of_a_page_on_ipv6_can_be_opened() -> None:
    command = [sys.executable, "app.py", "--host", "::1", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if "cannot be served" in line:
                pytest.skip("this machine has no IPv6")
            found = re.fullmatch(r"Open (http://\[::1\]:\d+) in a browser\.\n", line)
            assert found, line
            with urlopen(f"{found[1]}/health", timeout=60) as answer:
                assert answer.status == 200
        finally:
            process.kill()


def test_a_sweep_that_fails_is_not_the_last_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without sweeps, no run that nobody watches ends, and nobody gets its place."""
    swept: list[str] = []

    class Registry:
        def sweep(self) -> None:
            swept.append("runs")
            raise RuntimeError("can't start new thread")

    class Tidied:
        def tidy(self) -> None:
            swept.append("rest")

    async def some() -> None:
        sweeper = asyncio.create_task(server._sweep(Registry(), Tidied(), Tidied()))  # type: ignore[arg-type]
        while len(swept) < 6 and not sweeper.done():
            await asyncio.sleep(0.001)
        sweeper.cancel()

    monkeypatch.setattr(server, "SWEEP_SECONDS", 0.001)
    asyncio.run(asyncio.wait_for(some(), 20))
    assert swept[:6] == ["runs", "rest", "rest"] * 2
    assert "a part of the housekeeping failed" in caplog.text


@pytest.mark.slow
def test_whoever_comes_when_no_more_files_may_be_opened_is_served_once_some_are_closed(tmp_path: Path) -> None:
    """A thousand connections are held at once; a machine may allow fewer files."""
    limited = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100));"
    served = f"{limited} sys.argv = ['app.py', '--port', '0']; runpy.run_path('app.py', None, '__main__')"
    told = tmp_path / "log"
    with (
        told.open("w") as log,
        subprocess.Popen(
            [sys.executable, "-c", served], cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
        ) as page,
    ):
        try:
            assert page.stdout is not None
            port = int(page.stdout.readline().split()[1].rpartition(":")[2])
            with contextlib.ExitStack() as held:
                for _ in range(120):
                    held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
                with pytest.raises(OSError):
                    urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as answer:
                assert json.load(answer)["ready"]
        finally:
            page.kill()
    said = told.read_text()
    assert "out of system resource" in said
    assert len(said) < 20_000


@pytest.mark.slow
def test_others_go_on_while_connections_stay_half_open_and_uploads_stall(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    address = process.stdout.readline().split()[1]
    port = int(address.rpartition(":")[2])
    begun = post(f"{address}/gradio_api/run/start", "digits", "nayer", 0, "lte", 100_000, {}, "")

    def asked(path: str) -> dict[str, int]:
        with urlopen(f"{address}{path}", timeout=10) as answer:
            told: dict[str, int] = json.load(answer)
            return told

    def rounds_done() -> int:
        return asked(f"/live/{begun['run']}/status?since=0")["rounds_done"]

    half = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
    upload = (
        b"POST /bring HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        b'Content-Length: %d\r\n\r\n--b\r\nContent-Disposition: form-data; name="weights"; filename="w"\r\n\r\n'
    ) % TEACHER_BODY
    with contextlib.ExitStack() as held:
        for sent in [half] * 200 + [upload + bytes(1 << 20)] * 20:
            connection = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            connection.setblocking(False)  # a server that reads no more of an upload must not hold up the test
            connection.send(sent)
        before = rounds_done()
        while rounds_done() < before + 2:
            assert asked("/health")["ready"]
            time.sleep(0.2)
        assert post(f"{address}/gradio_api/run/stop", begun["run"], begun["token"])["run"] == begun["run"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "machine", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "Pacific/Kiritimati"}]
)
def test_a_machines_language_and_zone_change_nothing(machine: dict[str, str], tmp_path: Path) -> None:
    code = """
import sys
from fastapi.testclient import TestClient
from app.environment import Environment
from app.server import create
from nayer.cli.main import main
with TestClient(create(Environment()), base_url="http://127.0.0.1") as client:
    assert client.get("/").status_code == 200
    assert client.get("/explained").status_code == 200
main(["distill", "--teacher", "emoji10", "--rounds", "1", "--generator-steps", "1", "--out", sys.argv[1]])
"""
    kept = {name: value for name, value in os.environ.items() if name not in ("LANG", "LC_ALL", "LANGUAGE")}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, env=kept | machine, check=True)
    assert "round,seconds" in (tmp_path / "metrics.csv").read_text("utf-8").splitlines()[0]
