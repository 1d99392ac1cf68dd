"""The wheel in a clean virtual environment outside the repository: five lines, ONNX, a Hub folder, types, the command.

The environment has nothing but the wheel. It reads the other packages, such as torch, from the environment of the tests
through a .pth file, so that nothing is downloaded. `tests/nayer/test_package.py` checks that they are declared.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from nayer.common.extras import ONNX_PACKAGES
from tests.support.repository import ROOT

pytestmark = pytest.mark.slow
FEW = "rounds=2, warmup_rounds=1, generator_steps=2, student_steps=2, synthesis_batch=40"


class Place:
    """A folder outside the repository with an environment that has the wheel."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "venv" / "bin"

    def run(self, *words: str, code: int = 0) -> str:
        """Runs a program of the environment in the folder, and returns its standard output."""
        hidden = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment |= {"OMP_NUM_THREADS": "1", "PATH": f"{self.bin}:{os.environ['PATH']}"}
        done = subprocess.run(
            [str(self.bin / words[0]), *words[1:]],
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
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("nayer-*-py3-none-any.whl")
    return made


@pytest.fixture(scope="module")
def place(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("outside"))
    subprocess.run([sys.executable, "-m", "venv", str(made.folder / "venv")], check=True)
    made.run("python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel))
    packages = made.python("import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    Path(packages, "others.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
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


def test_five_lines_train_a_student_from_what_is_inside(place: Place) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "nayer.distill" in block]
    layers = (
        "nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 3)"
    )
    lines = f"from torch import nn\nteacher = nn.Sequential({layers})\n" + block.replace("rounds=4", FEW)
    told = place.python(lines + "\nprint(nayer.__file__, metrics['rounds'], sorted(metrics))")
    assert told.startswith(str(place.folder))
    assert "2 ['accuracy', 'agreement', 'rounds', 'seconds', 'teacher_accuracy']" in told


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


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ONNX_PACKAGES), reason="make slow installs the extra onnx"
)
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
