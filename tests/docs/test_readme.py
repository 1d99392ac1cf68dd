"""The README, CONTRIBUTING and docs/ are true: commands run, numbers are the cards', pins are the requirements'."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement
from PIL import Image
from torch import nn

from nayer.cli.main import main
from nayer.compare.experiments import EXPERIMENTS
from nayer.networks.cards import teacher_cards
from tests.support.minilm import minilm_folder
from tests.support.repository import ROOT

README = (ROOT / "README.md").read_text("utf-8")
PAGES = {"README.md": README} | {  # in the order in which their commands go on from each other
    name: (ROOT / name).read_text("utf-8")
    for name in (
        "docs/command-line.md",
        "docs/studies.md",
        "docs/page.md",
        "docs/cluster.md",
        "docs/serving.md",
        "docs/teachers.md",
        "docs/findings.md",
        "docs/speed.md",
        "docs/package.md",
        "CONTRIBUTING.md",
    )
}
EVERYTHING = "\n".join(PAGES.values())

# A block of commands, and what a comment right above it says the tests append to each of them.
BLOCK = re.compile(r"(?:<!-- tests append: (.*?) -->\n)?```bash\n(.*?)```", re.DOTALL)
COMMANDS = [
    (line, (more or "").replace("MINILM", minilm_folder()))
    for more, block in BLOCK.findall(EVERYTHING)
    for line in block.splitlines()
]
PYTHON = re.findall(r"```python\n(.*?)```", EVERYTHING, re.DOTALL)
SERVED = "Open http://127.0.0.1:"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A folder that looks like a checkout, so that what the commands write does not land in this one."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("Makefile", "app", "app.py", "assets", "nayer", "studies", "requirements.txt", "requirements-dev.txt"):
        (folder / name).symlink_to(ROOT / name)
    if (ROOT / ".venv").is_dir():
        (folder / ".venv").symlink_to(ROOT / ".venv")
    for place, name in enumerate(("cat", "dog", "boat")):  # the reader's own images
        (folder / "images" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("L", (8, 8), 80 * place + number).save(folder / "images" / name / f"{number}.png")
    return folder


def environment(**more):
    """As after `. .venv/bin/activate`, with one thread a process."""
    path = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    return {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "GRADIO_ANALYTICS_ENABLED": "False", **more}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    """A command that serves the page: its address once it is there, and its end after Ctrl-C."""

    def __init__(self, command, folder):
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(PORT=str(free_port())),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that a signal reaches make and what it started, as a terminal's would
        )

    def __enter__(self):
        assert self.process.stdout
        self.told = ""
        for line in self.process.stdout:
            self.told += line
            if line.startswith(SERVED):
                self.address = line.split()[1]
                return self
        pytest.fail(f"no address was printed: {self.told}")

    def __exit__(self, *error):
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            rest, _ = self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        assert "Traceback" not in self.told + rest


def test_there_are_commands_to_try():
    lines = [line for line, _ in COMMANDS]
    assert lines[:2] == ["make run", "make test"]
    for name in ("distill", "teach", "embed", "list", "bench", "config"):
        assert any(line.startswith(f"python -m nayer {name} ") for line in lines)


def test_every_command_runs_as_it_stands(checkout, monkeypatch, capsys):
    """In their order, for some go on from others; what serves or tests is tried below."""
    monkeypatch.chdir(checkout)
    for line, more in COMMANDS:
        if line.startswith("make "):
            continue
        words = [*shlex.split(line), *shlex.split(more)]
        assert words[:3] == ["python", "-m", "nayer"]
        try:
            code = main(words[3:])  # what `python -m nayer` calls, without waiting for torch anew
        except SystemExit as done:  # argparse's own end after --help
            code = done.code
        assert code == 0, f"{line}: {capsys.readouterr().err}"
    (loading,) = [block for block in PYTHON if "load_student" in block]
    names: dict[str, object] = {}
    exec(loading, names)
    assert names["student"](torch.rand(2, 1, 8, 8)).shape == (2, 10)


def test_a_classifier_in_memory_teaches_in_five_lines():
    (block,) = [block for block in PYTHON if "nayer.distill(teacher" in block]
    assert len([line for line in block.splitlines() if line]) <= 5
    layers = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten()]
    names: dict[str, object] = {"teacher": nn.Sequential(*layers, nn.Linear(128, 3))}
    exec(block.replace("rounds=4", "rounds=3, generator_steps=2, student_steps=2"), names)
    assert names["student"](torch.rand(2, 3, 32, 32)).shape == (2, 3)
    assert names["metrics"]["rounds"] == 3
    assert 0 <= names["metrics"]["agreement"] <= 1


def test_the_page_on_the_package_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGES["docs/package.md"], re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, {})
    assert "'agreement'" in capsys.readouterr().out
    assert (tmp_path / "runs" / "hub" / "README.md").is_file()


def test_make_test_is_the_gates(checkout):
    plan = subprocess.run(["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    gates = ["ruff format --check", "ruff check", "mypy --strict nayer app tests/reliability", "-m pytest"]
    assert [gate for gate in gates if gate in plan] == gates
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_make_run_serves_and_other_programs_can_follow(checkout):
    (client,) = [block for block in PYTHON if "gradio_client" in block]
    assert len([line for line in client.splitlines() if line]) <= 12
    with Served(["make", "run"], checkout) as page:
        here = client.replace("http://127.0.0.1:7860", page.address).replace("range(10)", "range(3)")
        assert here != client
        done = subprocess.run(
            [sys.executable, "-c", here], env=environment(), capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    states = [line.split()[0] for line in done.stdout.splitlines() if not line.startswith("Loaded")]
    assert len(states) == 3
    assert set(states) <= {"queued", "running", "finished"}


def test_make_says_which_python_it_wants(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "make", "sh"):
        found = shutil.which(tool)
        assert found
        (tmp_path / "bin" / tool).symlink_to(found)
    (tmp_path / "bin" / "python3").write_text("#!/bin/sh\nexit 1\n")  # any version but those that work
    (tmp_path / "bin" / "python3").chmod(0o755)
    done = subprocess.run(
        ["make", "SHELL=bash", "run"],
        cwd=tmp_path,
        env={"PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "No Python 3.11, 3.12, 3.13 or 3.14" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_teachers_table_says_what_the_cards_say():
    section = PAGES["docs/teachers.md"]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:3] == "| `"]
    cards = teacher_cards()
    assert [(*row[:4], row[5]) for row in rows] == [
        (
            f"`{card.name}`",
            f"{100 * card.test_accuracy:.2f} %",
            f"{100 * card.robust.accuracy:.2f} % ({card.robust.epsilon:g})" if card.robust else "–",
            f"`{card.model.architecture}` → `{card.student.architecture}`",
            f"`{card.command}`",
        )
        for card in cards
    ]


def test_the_tables_of_experiments_are_the_experiments():
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGES["docs/command-line.md"].split("The experiments are:")[1], re.M)
    arms = [(name, ", ".join(arm.title for arm in one.variations)) for name, one in EXPERIMENTS.items()]
    assert rows[: len(arms)] == arms
    listed = PAGES["docs/page.md"].split("ready-made experiments:")[1].split("Arms of your own")[0]
    assert re.findall(r"^\* \*(.+)\*$", listed, re.M) == [one.title for one in EXPERIMENTS.values()]


def pins(name):
    lines = [line for line in (ROOT / name).read_text("utf-8").splitlines() if line[:1] not in ("", "#")]
    return {requirement.name: requirement for requirement in map(Requirement, lines)}


def front_matter():
    _, front, _ = README.split("---\n", 2)
    return dict(re.findall(r"^(\w+): (.*)$", front, re.MULTILINE))


def test_a_space_finds_its_front_matter():
    front = front_matter()
    assert front["sdk"] == "gradio"
    assert f"=={front['sdk_version']}" == str(pins("requirements.txt")["gradio"].specifier)
    assert (ROOT / front["app_file"]).is_file()
    assert front["license"] == "mit"
    assert "MIT License" in (ROOT / "LICENSE").read_text("utf-8")
    assert front["python_version"].strip('"') in ("3.11", "3.12", "3.13", "3.14")


def test_a_space_can_install_the_pins():
    """A Space installs Gradio with two extras in the same breath as requirements.txt, so their bounds must agree."""
    wanted = pins("requirements.txt")
    for extra in ("mcp", "oauth"):
        for requirement in map(Requirement, requires("gradio") or []):
            if requirement.name in wanted and (not requirement.marker or requirement.marker.evaluate({"extra": extra})):
                for pin in wanted[requirement.name].specifier:
                    assert requirement.specifier.contains(pin.version), f"{requirement} against {pin}"


REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements-extras.txt", "requirements-cluster.txt")


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_dependency_is_there_for_a_reason(name):
    (section,) = re.findall(r"## Dependencies\n(.*?)\n## ", PAGES["README.md"], re.DOTALL)
    assert not [pin for pin in pins(name) if f"`{pin}`" not in section]


@pytest.mark.parametrize("name", [*PAGES, "docs/reference.md"])
def test_every_link_leads_to_a_file_and_every_page_is_linked_to(name):
    page = (ROOT / name).read_text("utf-8")
    targets = [link.partition("#")[0] for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page)]
    made = re.findall(r"writes (docs/\S+\.md)", (ROOT / "Makefile").read_text("utf-8"))  # by commands that take minutes
    there = [(ROOT / name).parent / target for target in targets if target]
    assert not [path for path in there if not path.exists() and path not in [ROOT / one for one in made]]
    assert name == "README.md" or f"({name})" in README


def test_the_front_door_is_short_and_has_a_picture():
    assert len(README.splitlines()) <= 200
    (picture,) = re.findall(r"!\[.{30,}\]\((.*?)\)", README)
    assert (ROOT / picture).stat().st_size < 300_000
    with Image.open(ROOT / picture) as image:
        assert image.width >= 1200


def test_every_file_that_contributing_names_exists():
    """A name without a package is below one of the two, or among the scripts: `runs/run.py`."""
    places = ("", "nayer", "app", "app/static")
    named = set(re.findall(r"`((?:nayer|app|tests|[a-z_]+)/[\w/]+\.(?:py|js))`", PAGES["CONTRIBUTING.md"]))
    missing = [name for name in named if not any((ROOT / package / name).is_file() for package in places)]
    assert len(named) > 15
    assert not missing
