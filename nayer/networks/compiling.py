"""Compiles networks with torch.compile, for long runs on a GPU. On two cores compiling takes as long as a run."""

from __future__ import annotations

from torch import nn

from nayer.config import Config

BACKEND = "inductor"


def compile_networks(config: Config, generator: nn.Module, student: nn.Module) -> None:
    """Compiles their forwards in place where `config` asks for it: weights, names and copies stay what they are.

    The teacher is left as it is, and so is a student whose inner maps are read: what a hook reads that comes after the
    compilation is not seen.
    """
    if not config.compiled:
        return
    generator.compile(backend=BACKEND)
    if not config.looks_inside:
        student.compile(backend=BACKEND)
