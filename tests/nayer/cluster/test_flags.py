"""Where runs work, as the flags and the environment say it. These tests need no Ray."""

from __future__ import annotations

import socket
import sys

import pytest

from app.environment import Environment
from nayer.cli.main import main
from nayer.cluster.jobs import Job, JobDone, JobStarted, LocalExecutor, Part, PartMade
from nayer.cluster.ray_cluster import _reason, checked_address
from nayer.errors import ConfigError

COMMAND = ["compare", "--presets", "dfq", "--teacher", "digits", "--seeds", "0"]


def test_here_one_job_works_after_the_other():
    def work(state):
        yield Part("a")
        yield Part("b", state="state")

    told = list(LocalExecutor().run([Job("first", work), Job("second", work)]))
    assert told == [
        one
        for number in (0, 1)
        for one in (
            JobStarted(number),
            PartMade(number, Part("a")),
            PartMade(number, Part("b", "state")),
            JobDone(number),
        )
    ]


@pytest.mark.parametrize("command", [COMMAND, ["bench", "--teacher", "digits", "--presets", "dfq"]])
def test_without_ray_one_sentence_says_how_to_install_it(monkeypatch, tmp_path, capsys, command):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.chdir(tmp_path)
    assert main([*command, *(["--out", "x"] if command is COMMAND else []), "--on", "ray"]) == 2
    said = capsys.readouterr().err
    assert said == "on='ray' needs the package ray, which is not installed; pip install 'nayer[cluster]'.\n"


@pytest.mark.parametrize(
    "address", ["rays", "http://head:6379", "head", "head:port", "head:70000", "head:" + "9" * 5000, "a b:1", "ray://"]
)
def test_an_address_that_is_none_is_refused(address, tmp_path, capsys):
    assert main([*COMMAND, "--out", str(tmp_path / "x"), "--on", address]) == 2
    assert "on must be ray, or the address of a cluster such as ray://head:6379" in capsys.readouterr().err


def test_an_address_has_one_form(monkeypatch):
    monkeypatch.setattr("nayer.common.extras.find_spec", lambda name: object())
    assert checked_address("on", "ray") == ""
    assert checked_address("on", "ray://head:6379") == checked_address("on", "head:6379") == "head:6379"


def test_the_dashboard_is_for_a_cluster_that_is_started(tmp_path, capsys):
    assert main([*COMMAND, "--out", str(tmp_path / "x"), "--dashboard"]) == 2
    assert "use it with --on ray" in capsys.readouterr().err


def test_the_page_knows_where_its_runs_work(monkeypatch):
    monkeypatch.setattr("nayer.common.extras.find_spec", lambda name: object())
    assert Environment.read({}).runs_on == ""
    assert Environment.read({"NAYER_RUNS_ON": "ray"}).runs_on == "ray"
    with pytest.raises(ConfigError, match="NAYER_RUNS_ON must be ray, or the address of a cluster"):
        Environment.read({"NAYER_RUNS_ON": "cuda"})


def test_an_address_where_nothing_listens_is_said_at_once(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("nayer.common.extras.find_spec", lambda name: object())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert main([*COMMAND, "--out", str(tmp_path / "x"), "--on", f"127.0.0.1:{port}"]) == 2
    assert f"on='127.0.0.1:{port}' has no cluster" in capsys.readouterr().err


def test_a_server_that_never_answers_is_told_in_words(tmp_path):
    assert _reason(TimeoutError(), tmp_path) == "no answer within 60 s"
