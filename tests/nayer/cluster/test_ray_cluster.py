"""Runs on a Ray cluster of two nodes on this machine: as at home, with a node or the head killed, and after Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from nayer.cluster.jobs import Executor, JobRestarted, JobStarted, LocalExecutor, PartMade
from nayer.cluster.ray_cluster import ClusterLost, RayCluster
from nayer.cluster.remote_lab import RemoteLab
from nayer.compare.experiments import Arm
from nayer.compare.outcome_folder import OutcomeFolder
from nayer.compare.run_jobs import Finished, RunOptions, run_all
from nayer.compare.run_parts import RoundPart
from nayer.config import Config
from nayer.errors import ConfigError, NayerError
from nayer.events import DiversityMeasured, Note, RoundFinished, RunFinished, RunStarted
from nayer.runs.session import Session
from nayer.runs.side_by_side import Lab
from tests.support.ray_nodes import Nodes, belongs, children, two_nodes
from tests.support.repository import ROOT
from tests.support.serving import wait_until
from tests.support.tiny import QUICK, all_same, same

pytestmark = pytest.mark.cluster

ARM = Config.parse({"rounds": 6, "generator_width": 4, "test_images": 100}, QUICK)
RUNS = [
    (Arm(f"width {width}", Config.parse({"noisy_width": width}, ARM)), seed) for width in (16, 32) for seed in range(4)
]
# Long enough to be killed in the middle.
LONG = [
    (Arm(f"long {arm.title}", Config.parse({"rounds": 25, "student_steps": 20}, arm.config)), seed)
    for arm, seed in RUNS
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a name that is short enough for sockets."""
    made = Path(tempfile.mkdtemp(prefix="nr-", dir="/tmp"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def nodes(folder: Path) -> Iterator[Nodes]:
    with two_nodes(folder) as nodes:
        yield nodes
    wait_until(lambda: not belongs(str(folder)), what="the end of all processes")


def told(runs, options: RunOptions, executor: Executor) -> tuple[list, dict[int, list], dict[int, Finished]]:
    """All news, the events of each run, and its end."""
    news, events, ends = [], {number: [] for number in range(len(runs))}, {}
    for one in run_all(runs, options, executor):
        news.append(one)
        if isinstance(one, Finished):
            assert one.number not in ends
            ends[one.number] = one
        elif isinstance(one, PartMade) and isinstance(one.part.content, RoundPart):
            events[one.number] += [event for event, _ in one.part.content.events]
    return news, events, ends


def on(device: str) -> list[tuple[Arm, int]]:
    """The same run with three seeds on a device."""
    return [(Arm(f"on {device}", Config.parse({"device": device}, ARM)), seed) for seed in range(3)]


def measured(end: Finished) -> dict[str, object]:
    """Everything of an outcome that is no time."""
    one = end.outcome
    names = ("arm", "seed", "config", "rounds", "generator_steps", "agreement", "by_step", "second_opinion", "failure")
    return {name: getattr(one, name) for name in names} | {"curve": [accuracy for _, accuracy in one.curve]}


def test_two_nodes_give_the_events_of_one_machine(nodes):
    cluster = RayCluster(nodes.address)
    try:
        assert cluster.cpus == sum(one.cpus > 0 for one in cluster.machines) == 2
        with pytest.raises(ConfigError, match=r"threads=2 needs a machine with 2 processors; the largest has 1\."):
            next(run_all(RUNS, RunOptions("wall", 2), cluster))
        with pytest.raises(ConfigError, match=r"^device='cuda' needs a machine with a GPU, and no machine of this"):
            next(run_all(on("cuda"), RunOptions("wall", 1), cluster))
        with pytest.raises(ConfigError, match=r"^device='cuda' needs a machine with a GPU"):
            next(RemoteLab(cluster, [on("cuda")[0][0].config]).events())
        news, events, ends = told(RUNS, RunOptions("wall", 1, keep_every=1.0), cluster)
    finally:
        cluster.close()
    at_home, home_events, home_ends = told(RUNS, RunOptions("wall", 1), LocalExecutor())
    assert len({one.node for one in news if isinstance(one, JobStarted)}) == 2
    assert sorted(ends) == list(range(len(RUNS)))
    for number in ends:
        assert all_same(events[number], home_events[number])
        assert measured(ends[number]) == measured(home_ends[number])
    assert not [one for one in at_home if isinstance(one, JobStarted) and one.node]


def test_a_killed_node_loses_no_run_and_none_is_made_twice(nodes):
    cluster = RayCluster(nodes.address)
    ends: dict[int, Finished] = {}
    again: list[JobRestarted] = []
    rounds = Counter[int]()
    killed = False
    try:
        for one in run_all(LONG, RunOptions("wall", 1, keep_every=0.2), cluster):
            if isinstance(one, Finished):
                assert one.number not in ends
                ends[one.number] = one
            if isinstance(one, JobRestarted):
                again.append(one)
            if isinstance(one, PartMade) and one.part.state is not None:
                rounds[one.number] += 1
                if not killed and len(rounds) == 2 and min(rounds.values()) >= 2:  # both nodes are in the middle
                    killed = True
                    nodes.kill(nodes.nodes[0])
    finally:
        cluster.close()
    assert 1 <= len(again) <= 5  # Ray may choose the dead node once more, before it knows
    assert "its latest checkpoint" in again[0].reason
    home = told(LONG, RunOptions("wall", 1), LocalExecutor())[2]
    assert sorted(ends) == list(range(len(LONG)))
    for number in ends:
        assert measured(ends[number]) == measured(home[number])
        rounds_of = [[row["round"] for row in one[number].record.rows] for one in (ends, home)]
        assert rounds_of[0] == rounds_of[1]
        assert len(rounds_of[0]) == 25


def test_a_run_asks_for_the_gpu_and_the_processors_that_its_config_needs(folder):
    with two_nodes(folder, [(1, 1), (2, 0)]) as nodes:
        cluster = RayCluster(nodes.address)
        try:
            [with_gpu] = [one.name for one in cluster.machines if one.gpus]
            [large] = [one.name for one in cluster.machines if one.cpus == 2]
            for threads, device, names in ((1, "cuda", {with_gpu}), (1, "auto", {with_gpu}), (2, "auto", {large})):
                news, _, ends = told(on(device), RunOptions("wall", threads), cluster)
                assert {one.node for one in news if isinstance(one, JobStarted)} == names
                refused = "device='cuda' is not available on this machine; use cpu or auto."  # Ray has only counted it
                failure = refused if device == "cuda" and not torch.cuda.is_available() else ""
                assert [end.outcome.failure for end in ends.values()] == [failure] * 3
            busy = [one.node for one in told(RUNS, RunOptions("wall", 1), cluster)[0] if isinstance(one, JobStarted)]
            assert large in busy  # with device=cpu
            with pytest.raises(ConfigError, match=r"2 processors and a GPU; the largest with a GPU has 1\.$"):
                next(run_all(on("cuda"), RunOptions("wall", 2), cluster))
        finally:
            cluster.close()
    wait_until(lambda: not belongs(str(folder)), what="the end of all processes")


def test_runs_that_no_machine_is_left_for_end_with_one_sentence(nodes):
    cluster = RayCluster(nodes.address)
    try:
        news = run_all(LONG, RunOptions("wall", 1), cluster)
        next(one for one in news if isinstance(one, PartMade))
        for node in nodes.nodes:
            nodes.kill(node)
        with pytest.raises(NayerError, match="needs a machine with processors for threads=1, and no machine of the"):
            deque(news, maxlen=0)
    finally:
        cluster.close()


def study_file(folder: Path) -> Path:
    path = folder / "s.yaml"
    shared = {
        name: getattr(ARM, name) for name in ("warmup_rounds", "generator_width", "synthesis_batch", "test_images")
    }
    lines = "".join(f"  {name}: {value}\n" for name, value in {**shared, "generator_steps": 2}.items())
    path.write_text(
        "methods: {A: {noisy_width: 16}, B: {noisy_width: 32}}\nteachers: [digits]\nbudgets: {rounds: [40]}\n"
        f"seeds: [0, 1, 2, 3]\nshared:\n  student_steps: 20\n{lines}"
    )
    return path


def command(*words: str, mark: str = "") -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NAYER_TEST_MARK": mark}
    return subprocess.Popen(
        [sys.executable, "-m", "nayer", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )


def test_a_killed_head_is_one_sentence_and_resume_goes_on(nodes, tmp_path):
    out = tmp_path / "out"
    running = command("study", str(study_file(tmp_path)), "--out", str(out), "--on", f"ray://{nodes.address}")
    first = running.stderr.readline()
    assert first.startswith("1 of 8: ")
    nodes.kill(nodes.head)
    said = [line for line in running.stderr.read().splitlines() if " of 8: " not in line]
    assert running.wait(60) == 1
    running.stdout.close()
    running.stderr.close()
    assert said == [
        "The cluster is lost: its head, or the connection with it, has ended. Finished runs are kept, and the same "
        "command continues with the others."
    ]
    kept = {path.name: path.read_bytes() for path in (out / "runs").glob("*.json")}
    assert 1 <= len(kept) < 8
    resumed = command("study", "--resume", str(out), "--on", "ray")
    report, errors = resumed.communicate(timeout=240)
    assert resumed.returncode == 0, errors
    assert report == (out / "report.md").read_text()
    assert len([line for line in errors.splitlines() if " of 8: " in line]) == 8 - len(kept)
    assert all((out / "runs" / name).read_bytes() == content for name, content in kept.items())
    assert len(list((out / "runs").glob("*.json"))) == 8


def test_runs_in_progress_go_on_from_their_checkpoints_after_the_head_has_died(nodes, tmp_path):
    files = [OutcomeFolder(tmp_path, "wall", 1).interrupted(*run) for run in LONG[:2]]
    cluster = RayCluster(nodes.address)
    made = Counter[int]()
    try:
        news = run_all(LONG[:2], RunOptions("wall", 1, keep_every=0.2), cluster, files)
        while min(made[0], made[1]) < 3:
            one = next(news)
            made[one.number] += isinstance(one, PartMade) and one.part.state is not None
        nodes.kill(nodes.head)
        with pytest.raises(ClusterLost, match="the same command continues"):
            deque(news, maxlen=0)
    finally:
        cluster.close()
    home = told(LONG[:2], RunOptions("wall", 1), LocalExecutor())[2]
    rounds, ends = Counter[int](), {}
    for one in run_all(LONG[:2], RunOptions("wall", 1), LocalExecutor(), files):
        if isinstance(one, Finished):
            ends[one.number] = one
        elif isinstance(one, PartMade) and isinstance(one.part.content, RoundPart):
            rounds[one.number] += sum(isinstance(event, RoundFinished) for event, _ in one.part.content.events)
    for number in range(2):
        assert rounds[number] <= 25 - 3
        assert measured(ends[number]) == measured(home[number])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_end_of_the_command_leaves_nothing_behind_and_ray_listens_on_loopback_only(tmp_path, number):
    mark = f"mark-{os.getpid()}-{number}"
    running = command("study", str(study_file(tmp_path)), "--out", str(tmp_path / "out"), "--on", "ray", mark=mark)
    assert running.stderr.readline().startswith("1 of 8: ")
    processes = [running.pid, *children(running.pid)]
    folders = {path for path in Path("/tmp").glob("nayer-ray-*") if belongs(str(path))}
    assert len(folders) == 1
    assert len(processes) > 5
    addresses = listening(processes)
    assert len(addresses) > 3
    assert {host for host, _ in addresses} == {"127.0.0.1"}
    running.send_signal(number)
    said = running.stderr.read()
    assert running.wait(60) == {signal.SIGINT: 130, signal.SIGKILL: -9}[number]
    running.stdout.close()
    running.stderr.close()
    if number == signal.SIGINT:
        assert said.splitlines()[-1].startswith("Stopped. Finished runs are kept")
    wait_until(lambda: not belongs(mark), 60.0, "the end of all processes")
    wait_until(lambda: not any(folder.exists() for folder in folders), 30.0, "the end of the folder")


def listening(processes: list[int]) -> set[tuple[str, int]]:
    """The addresses at which these processes accept connections from TCP."""
    inodes = set()
    for process in processes:
        for descriptor in Path(f"/proc/{process}/fd").glob("*"):
            with suppress(OSError):
                inodes.add(os.readlink(descriptor).removeprefix("socket:[").removesuffix("]"))
    found = set()
    for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                host, port = words[1].split(":")
                packed = b"".join(bytes.fromhex(host[i : i + 8])[::-1] for i in range(0, len(host), 8))
                found.add((socket.inet_ntop(family, packed).removeprefix("::ffff:"), int(port, 16)))
    return found


# --- the page's runs -------------------------------------------------------------------------------------------------


def test_a_lab_on_a_cluster_is_the_lab_at_home_and_outlives_its_node(nodes):
    config = Config.parse({"rounds": 30, "student_steps": 20}, ARM)
    home = Lab([config])
    expected = list(home.events())
    cluster = RayCluster(nodes.address)
    try:
        ticks = count(step=4.0)  # so that every second round leaves a checkpoint, and the others are left out
        lab = RemoteLab(cluster, [config], clock=lambda: next(ticks))
        events, killed = [], 0
        for event in lab.events():
            events.append(event)
            if isinstance(event, RoundFinished) and event.round == 8 and not killed:
                before = lab.node
                killed = len(events)
                kill_node_of(lab, nodes)
        notes = [one for one in events if isinstance(one, Note) and "is lost. The run continues" in one.message]
        assert len(notes) == 1
        assert events.index(notes[0]) >= killed
        assert lab.node != before
        comparable = [one for one in events if one not in notes]
        assert [type(one) for one in comparable] == [type(one) for one in expected]
        # Diversity across rounds starts empty after a checkpoint.
        given, wanted = (
            [one for one in events if not isinstance(one, DiversityMeasured)] for events in (comparable, expected)
        )
        assert all_same(given, wanted)
        students = [load(one.student(0)) for one in (lab, home)]  # both are at home now
        assert students[0].keys() == students[1].keys()
        assert all(same(students[0][name].numpy(), students[1][name].numpy()) for name in students[0])
        assert same(lab.redraws(0, 1, 2), home.redraws(0, 1, 2))
        assert isinstance(events[0], RunStarted)
        assert isinstance(events[-1], RunFinished)
    finally:
        cluster.close()


def kill_node_of(lab: RemoteLab, nodes: Nodes) -> None:
    """Kills the node on which a lab works."""
    pid = lab._cluster.request("process", lab._lab)
    [own] = [processes for processes in nodes.nodes if any(pid in children(one) for one in processes)]
    nodes.kill(own)


def test_a_session_drives_a_run_on_a_cluster_as_at_home(nodes):
    config = Config.parse({"rounds": 50}, ARM)
    cluster = RayCluster(nodes.address)
    try:
        session = Session(lambda: RemoteLab(cluster, [config]))
        session.start(paused=True)
        for kind in ("redraw", "generator", "student", "round", "round"):
            session.step(kind)
            wait_until(lambda: session.state == "paused", what=kind)
        rounds = [event for event in session.snapshot() if isinstance(event, RoundFinished)]
        assert rounds[-1].round == 2  # a snapshot has the newest one
        time.sleep(0.5)
        later = [event for event in session.snapshot() if isinstance(event, RoundFinished)]
        assert later == rounds  # nothing ran ahead
        assert session.ask(lambda source: source.change(0, {"generator_steps": 5})).result(30).generator_steps == 5
        with pytest.raises(ConfigError, match="cannot change during a run"):
            session.ask(lambda source: source.change(0, {"seed": 5})).result(30)
        assert session.ask(lambda source: source.redraws(0, 3, 2)).result(30).label == 3
        checkpoint = session.ask(lambda source: source.checkpoint()).result(30)
        session.step("round")
        wait_until(lambda: session.state == "paused", what="a round")
        session.resume()
        session.stop()
        assert session.join(60)
        assert session.state == "stopped"
        assert session.ask(lambda source: source.student(0)).result(30)  # after its end
        wait_until(lambda: cluster.request("free_cpus") == 2.0, what="a free machine")
        again = RemoteLab(cluster, [config], (), checkpoint)
        first = next(event for event in again.events() if isinstance(event, RoundFinished))
        assert first.round == 3
    finally:
        cluster.close()


def test_a_run_that_waits_for_a_machine_is_stopped_at_once_and_takes_none(nodes):
    config = Config.parse({"rounds": 10_000}, ARM)
    cluster = RayCluster(nodes.address)
    try:
        working = [Session(lambda: RemoteLab(cluster, [config])) for _ in range(2)]
        for session in working:
            session.start()
        wait_until(lambda: all(session.snapshot() for session in working), 60.0, "the first events")
        waiting = Session(lambda: RemoteLab(cluster, [config]))
        waiting.start()
        time.sleep(2.0)
        assert not waiting.snapshot()  # both machines are taken
        waiting.stop()
        assert waiting.join(10)
        for session in working:
            session.stop()
        assert all(session.join(60) for session in working)
        wait_until(lambda: cluster.request("free_cpus") == 2.0, 60.0, "free machines")
    finally:
        cluster.close()


def test_arms_side_by_side_are_those_at_home(nodes):
    configs = [Config.parse({"noisy_width": width, "work": 0.5, "rounds": 1000}, ARM) for width in (16, 32)]
    cluster = RayCluster(nodes.address)
    try:
        lab = RemoteLab(cluster, configs, (0, 1))
        assert all_same(list(lab.events()), list(Lab(configs, (0, 1)).events()))
        assert len(lab.student(1)) > 1000
        with pytest.raises(ConfigError, match="no longer in memory"):
            lab.redraws(0, 0, 2)
    finally:
        cluster.close()
