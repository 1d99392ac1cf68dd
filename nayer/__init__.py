"""Data-free distillation as a generator of events: NAYER's noisy layer on label-text embeddings.

`nayer.distill` trains a student from a classifier in memory or from a named teacher. Start to read at
`distillation.train.train`, the algorithm on one page; `runs.run.open_run` builds a run from a `Config`.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

__version__ = "0.1.0"

# name -> the module that has it. Nothing is imported before it is asked for, so that `import nayer` loads no torch.
# `__init__.pyi` says the same to type checkers; a test compares the two.
_OFFERED = {
    "Config": "nayer.config",
    "Distilled": "nayer.library",
    "NayerError": "nayer.errors",
    "Student": "nayer.exports.hub_folder",
    "distill": "nayer.library",
    "list_presets": "nayer.library",
    "list_teachers": "nayer.library",
    "load_student": "nayer.library",
    "named_run": "nayer.library",
    "own_run": "nayer.library",
    "own_teacher": "nayer.library",
}
_MODULES = ("presets", "teachers")
__all__ = ["__version__", *_OFFERED, *_MODULES]  # noqa: PLE0604 (names, as texts)


def __getattr__(name: str) -> _Any:
    if name in _MODULES:
        return _import_module(f"nayer.{name}")
    if name in _OFFERED:
        return getattr(_import_module(_OFFERED[name]), name)
    raise AttributeError(f"module 'nayer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
