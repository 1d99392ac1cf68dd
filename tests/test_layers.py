"""The architecture's rules: who may import whom, what stays out of the start, what no file may contain."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nayer.methods import PRESETS

ROOT = Path(__file__).parent.parent
NAYER = sorted((ROOT / "nayer").rglob("*.py"))
APP = sorted((ROOT / "app").rglob("*.py"))
PLOTTING = {"matplotlib", "plotly", "seaborn", "bokeh", "altair"}
DRAWING = {"resvg_py"}  # needed to teach emoji, and for nothing else: who only runs the page does without it
HEAVY = {"transformers", "umap", "numba", "sklearn", "matplotlib", "gradio", "datasets", "pyarrow", "pandas"} | DRAWING

# Lower may not import higher. What is not named here may import anything below the command line.
ORDER = [
    {"errors", "arrays", "settings"},
    {"cosines", "text_rules"},
    {"diversity"},
    {"events"},
    {"config"},
    {"methods"},
]
# They import torch, each other, and nothing else of ours.
LEAVES = {"losses", "pool", "noisy_layer", "noisy_shape", "bn_statistics", "narrow_norm", "lean_layers"}
CORE = {"synthesis", "distillation", "training", "state"}
OUTSIDE_OF_CORE = {"checkpoints", "session", "experiment", "export", "record", "testsets", "teach", "teachers"}
OUTSIDE_OF_CORE |= {"audience", "questions"}
DATA = {"testsets", "teach", "teach_own", "lessons", "labelled", "fitting", "emoji", "emoji_drawings"}
DATA |= {"own_images", "picture_sources", "parquet_pictures", "decoding"}
DATA_FREE = ["synthesis", "distillation", "pool", "training", "state", "session", "checkpoints"]


def imports(path: Path) -> set[str]:
    """Every module a file imports, at its top or later, in full: `from nayer import pool` counts as nayer.pool."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add(str(node.module))
            if node.module in ("nayer", "app"):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def ours(name: str) -> set[str]:
    """The modules of nayer that nayer.`name` imports, without the package's name."""
    return {i.removeprefix("nayer.") for i in imports(ROOT / "nayer" / f"{name}.py") if i.startswith("nayer.")}


def reached(name: str) -> set[str]:
    """`ours`, theirs, and so on."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for module in ours(waiting.pop()) - seen:
            seen.add(module)
            waiting.append(module)
    return seen


MODULES = [path.stem for path in NAYER if path.stem not in ("__init__", "__main__")]


@pytest.mark.parametrize("path", NAYER, ids=lambda p: p.stem)
def test_the_core_knows_no_page_and_no_plots(path):
    may_plot = path.stem == "charts"  # a comparison's pictures, which only its command draws
    assert not tops(path) & ({"app", "gradio", "fastapi", "uvicorn"} | (set() if may_plot else PLOTTING))


def test_only_the_command_that_writes_charts_imports_them():
    assert [path.stem for path in [*NAYER, *APP] if "nayer.charts" in imports(path)] == ["cli_compare"]


@pytest.mark.parametrize("path", APP, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_page_knows_no_torch(path):
    assert not tops(path) & {"torch", "safetensors", "transformers"}


def test_the_page_draws_without_pyplot():
    assert not [path for path in APP if "matplotlib.pyplot" in imports(path)]


def test_the_entry_imports_only_the_page_and_holds_nothing_importable():
    assert tops(ROOT / "app.py") == {"app"}
    body = ast.parse((ROOT / "app.py").read_text("utf-8")).body
    assert not [node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Assign))]


@pytest.mark.parametrize("name", sorted(LEAVES))
def test_the_leaves_import_nothing_else_of_ours(name):
    assert ours(name) <= LEAVES


@pytest.mark.parametrize("level", range(len(ORDER)))
def test_the_foundations_stand_on_those_below_only(level):
    below = set().union(*ORDER[:level]) if level else set()
    for name in ORDER[level]:
        assert ours(name) <= below


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name):
    assert name not in reached(name)


@pytest.mark.parametrize("name", ["generator", "models", "labels"])
def test_what_the_core_stands_on_does_not_know_it(name):
    assert not reached(name) & (CORE | OUTSIDE_OF_CORE)


@pytest.mark.parametrize("name", ["synthesis", "distillation"])
def test_the_phases_do_not_know_the_algorithm(name):
    assert not reached(name) & ({"training"} | OUTSIDE_OF_CORE)


def test_the_algorithm_does_not_know_who_runs_it():
    assert not reached("training") & OUTSIDE_OF_CORE


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("cli")])
def test_nothing_below_the_command_line_imports_it(name):
    assert not [module for module in ours(name) if module.startswith("cli")]


@pytest.mark.parametrize("name", DATA_FREE)
def test_training_cannot_reach_data(name):
    assert not reached(name) & DATA


@pytest.mark.parametrize("path", [*NAYER, *APP], ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_asks_for_a_methods_name(path):
    """A preset's name is data of `methods`; only the one to start with may be named elsewhere, and never compared."""
    if path.stem == "methods":
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.Compare, ast.MatchValue)):
            names = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
            assert not names & set(PRESETS), ast.unparse(node)
        if isinstance(node, (ast.Attribute, ast.Name)):
            called = node.attr if isinstance(node, ast.Attribute) else node.id
            assert called != "method_name"


def loaded_by(statement: str) -> set[str]:
    command = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_the_core_starts_without_what_is_heavy():
    everything = ", ".join(f"nayer.{name}" for name in MODULES if name != "charts")
    assert not loaded_by(f"import {everything}") & HEAVY


def test_the_command_line_answers_without_torch():
    assert not loaded_by("import nayer, nayer.cli") & ({"torch", "rich"} | HEAVY)


def test_the_page_comes_up_without_the_core_the_encoder_and_umap():
    build = "from app.environment import Environment; from app.server import create; create(Environment())"
    assert not loaded_by(build) & {"torch", "transformers", "umap", "numba", "sklearn", "datasets"}


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_machine_or_a_package_source():
    # Written in pieces, so that this file does not name them.
    places = [str(ROOT.parent) + "/", str(Path.home()) + "/", "/" + "home/", "/" + "Users/", "/" + "root/"]
    sources = ["--index" + "-url", "--extra-index" + "-url", "find" + "-links", "--" + "registry"]
    found = [
        (path.name, word)
        for path in tracked()
        if path.suffix not in (".safetensors", ".parquet", ".npz", ".png", ".webp", ".gz", ".zip", ".nayer")
        for word in [*places, *sources]
        if word in path.read_text("utf-8")
    ]
    assert not found


def test_every_pin_is_exact_but_for_torch():
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line for line in (ROOT / name).read_text("utf-8").splitlines() if line and not line.startswith("#")]
        loose = [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)]
        assert loose == (["torch>=2.8,<=2.13.0"] if name == "requirements.txt" else [])


MODULE_OF = {"scikit-learn": "sklearn", "umap-learn": "umap", "pillow": "PIL"}  # where the names differ


def pinned(name: str) -> set[str]:
    """The modules that a requirements file brings by name."""
    lines = [line for line in (ROOT / name).read_text("utf-8").splitlines() if line[:1] not in ("", "#")]
    names = [re.split(r"[=<>]", line)[0] for line in lines]
    return {MODULE_OF.get(name, name) for name in names}


def test_what_is_pinned_is_used_and_what_is_used_is_pinned():
    used = set().union(*(tops(path) for path in [*NAYER, *APP])) - set(sys.stdlib_module_names) - {"nayer", "app"}
    assert used - DRAWING == pinned("requirements.txt")
    assert pinned("requirements-dev.txt") >= DRAWING
