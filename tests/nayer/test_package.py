"""The package as other programs see it: the names that it offers, their examples, and what it declares to need."""

import ast
import doctest
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import nayer
from tests.support.repository import ROOT
from tests.support.rooms import files
from tests.test_layers import MODULE_OF, loaded_by

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_import_of_the_package_loads_nothing_but_itself():
    assert loaded_by("import nayer; dir(nayer)") & {"torch", "numpy", "pydantic", "yaml", "huggingface_hub"} == set()


def test_every_offered_name_is_there_and_type_checkers_know_the_same_names():
    stub = ast.parse((ROOT / "nayer" / "__init__.pyi").read_text("utf-8"))
    told = {alias.asname: node.module for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert {name for name, module in told.items() if module == "nayer"} == set(nayer._MODULES)
    assert {name: module for name, module in told.items() if module != "nayer"} == nayer._OFFERED
    assert set(nayer.__all__) == {"__version__", *told}
    for name in nayer.__all__:
        assert getattr(nayer, name)
    with pytest.raises(AttributeError, match="module 'nayer' has no attribute 'destill'"):
        nayer.destill  # noqa: B018 (the access is what is tried)


@pytest.mark.parametrize("name", sorted(name for name in nayer._OFFERED if name not in ("NayerError",)))
def test_the_example_in_its_docstring_runs(name, tmp_path):
    found = getattr(nayer, name)
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    (example,) = finder.find(found, name, globs={"nayer": nayer, "folder": tmp_path})
    assert example.examples, f"{name} has no example"
    assert runner.run(example).failed == 0


# --- what it declares ------------------------------------------------------------------------------------------------


def needed(requirements):
    return {MODULE_OF.get(one.name.lower(), one.name.lower()): one for one in map(Requirement, requirements)}


CORE = needed(PROJECT["dependencies"])
EXTRAS = {name: needed(given) for name, given in PROJECT["optional-dependencies"].items() if name != "all"}


def imported(path: Path, *, everywhere: bool) -> set[str]:
    """The other packages that a file imports: at its top, or everywhere."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = list(ast.walk(tree)) if everywhere else tree.body
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"nayer"}


# Modules of an extra, which only the commands and names of that extra import.
OF_AN_EXTRA = {
    "nayer/compare/charts.py": {"matplotlib"},
    "nayer/exports/hub_folder.py": {"huggingface_hub"},
    "nayer/cluster/driver.py": {"ray"},
    "nayer/cluster/ray_jobs.py": {"ray"},
    "nayer/cluster/tasks.py": {"ray"},
}


@pytest.mark.parametrize("path", files("nayer"), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_file_imports_is_declared(path):
    at_the_top = imported(path, everywhere=False) - OF_AN_EXTRA.get(str(path.relative_to(ROOT)), set())
    assert at_the_top <= CORE.keys()
    declared = CORE.keys() | set().union(*EXTRAS.values())
    assert imported(path, everywhere=True) - {"resvg_py"} <= declared  # which draws emoji to train their teachers


def test_the_pins_are_within_what_the_package_accepts():
    pins = [
        Requirement(line)
        for name in ("requirements.txt", "requirements-extras.txt", "requirements-cluster.txt")
        for line in (ROOT / name).read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    pinned = {MODULE_OF.get(one.name.lower(), one.name.lower()): one for one in pins}
    for module, wanted in [*CORE.items(), *(pair for extra in EXTRAS.values() for pair in extra.items())]:
        if module == "torch":
            continue
        (pin,) = pinned[module].specifier
        assert wanted.specifier.contains(pin.version), f"{wanted} against {pinned[module]}"


def test_the_extra_all_has_the_others_that_need_no_account_and_no_cluster():
    everything = {one.name for one in map(Requirement, PROJECT["optional-dependencies"]["all"])}
    small = {name: given for name, given in EXTRAS.items() if name not in ("wandb", "cluster")}
    assert everything == {one.name for given in small.values() for one in given.values()}


def test_the_command_is_on_the_path_with_all_commands():
    assert PROJECT["scripts"] == {"nayer": "nayer.__main__:command"}
    line = "import sys; sys.argv = ['/bin/nayer']; from nayer.__main__ import command; sys.exit(command())"
    done = subprocess.run([sys.executable, "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout.startswith("usage: nayer COMMAND")
