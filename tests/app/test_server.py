"""`python app.py` as a process: says where it is, keeps heavy libraries out of its start, goes when asked."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from app.server import main

ROOT = Path(__file__).parents[2]
HEAVY = ["umap", "numba", "transformers", "matplotlib", "sklearn", "datasets"]


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


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
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


def test_the_start_loads_nothing_heavy() -> None:
    code = (
        "import sys; from app.environment import Environment; from app.server import create; create(Environment());"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


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
    assert capsys.readouterr().err == "PORT='here' does not work; use a whole number from 0 to 65535.\n"


def test_a_taken_port_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as left:
            main(["--port", str(port)])
    assert left.value.code == 1
    told = capsys.readouterr().err
    assert told == f"port={port} is taken on 127.0.0.1; stop what listens there, or choose another with --port.\n"
