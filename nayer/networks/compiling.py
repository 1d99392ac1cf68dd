"""Compiles networks with torch.compile, for long runs on a GPU. On two cores compiling takes as long as a run."""

from __future__ import annotations

from torch import nn

from nayer.config import Config

BACKEND = "inductor"


def compile_networks(config: Config, generator: nn.Module, student: nn.Module) -> None:
    """Compiles their forwards in place if `config` asks for it. Weights, names and copies do not change.

    It does not compile the teacher, nor a student whose inner maps are read: a hook that is added after the compilation
    gets nothing.
    """
    if not config.compiled:
        return
    generator.compile(backend=BACKEND)
    if not config.looks_inside:
        student.compile(backend=BACKEND)
