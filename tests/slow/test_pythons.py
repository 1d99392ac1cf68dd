"""What needs no torch, on every promised Python that is on the PATH: syntax, the wheel, its modules, its commands.

torch for another Python is a download of some gigabytes, so each environment here lacks it. Half of the package loads
without it, and so do the help, the settings and the lists of the command.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import ROOT

pytestmark = pytest.mark.slow
PROMISED = ("3.11", "3.12", "3.13", "3.14")
OTHERS = ("torch", "ray", "huggingface_hub", "matplotlib", "scipy", "sklearn", "pyarrow", "transformers", "umap")
WITHOUT_TORCH = f"""
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys({OTHERS}))  # no import finds these
import nayer
for module in pkgutil.walk_packages(nayer.__path__, "nayer."):
    try:
        importlib.import_module(module.name)
        print(module.name)
    except ModuleNotFoundError as error:
        assert error.name.split(".")[0] in {OTHERS}, error
"""


def run(*words: object, **variables: str) -> str:
    """The standard output of a program that ends well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    told = subprocess.run(
        [str(word) for word in words], env=environment | variables, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def there(version: str) -> str:
    """The program of a Python with its venv module. Skips the test without one."""
    name = f"python{version}"
    try:
        run(name, "-c", "import ensurepip, venv")
    except (OSError, AssertionError):
        pytest.skip(f"{name} is not on the PATH")
    return name


@pytest.mark.parametrize("version", PROMISED)
def test_every_file_compiles_without_a_warning(version: str, tmp_path: Path) -> None:
    words = [
        there(version),
        "-W",
        "error",
        "-m",
        "compileall",
        "-q",
        "-f",
        ROOT / "nayer",
        ROOT / "app",
        ROOT / "app.py",
    ]
    assert run(*words, PYTHONPYCACHEPREFIX=str(tmp_path)) == ""


@pytest.mark.parametrize("version", PROMISED)
def test_the_wheel_its_modules_and_its_commands_work_where_torch_is_missing(
    version: str, wheel: Path, tmp_path: Path
) -> None:
    run(there(version), "-m", "venv", tmp_path / "venv")
    python, nayer = tmp_path / "venv" / "bin" / "python", tmp_path / "venv" / "bin" / "nayer"
    pins = [line for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines() if line[:1] not in ("#", "")]
    core = ("numpy", "pydantic", "safetensors", "pillow", "filelock", "cachetools", "rich", "pyyaml", "shtab")
    install = [python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
    run(*install, *(pin for pin in pins if pin.split("==")[0] in core))
    run(*install, "--no-deps", wheel)

    told = run(python, "-W", "error", "-c", WITHOUT_TORCH).split()
    assert told == run(sys.executable, "-c", WITHOUT_TORCH, PYTHONPATH=str(ROOT)).split()
    assert len(told) > 60
    assert {"nayer.config", "nayer.events", "nayer.presets", "nayer.cli.main", "nayer.cluster.remote_lab"} <= set(told)

    assert "nayer COMMAND" in run(nayer, "--help")
    for words in (("config", "--preset", "dfq"), ("list", "presets")):
        here = run(sys.executable, "-m", "nayer", *words, PYTHONPATH=str(ROOT))
        assert here
        assert run(nayer, *words) == here
