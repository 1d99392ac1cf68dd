"""How the networks of a run compute: on which device, in which number type, and compiled or not."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from nayer.config import Config
from nayer.errors import ConfigError

BACKEND = "inductor"


def device(name: str) -> torch.device:
    """`auto` takes a GPU if the process can keep one; ConfigError for `cuda` if it cannot.

    A ZeroGPU Space gives a GPU to single functions only, so the process cannot keep it. Elsewhere it reports one too.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device='cuda' is not available on this machine; use cpu or auto.")
    if name == "auto" and os.environ.get("SPACES_ZERO_GPU"):
        return torch.device("cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def supports_bf16(device: torch.device) -> bool:
    """Whether `device` has instructions for bfloat16; elsewhere it is emulated, and slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Whether a run of the config's `precision` computes in bfloat16 on `device`."""
    return precision == "bfloat16" or (precision == "auto" and supports_bf16(device))


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Inside the block, convolutions and matrix products use the type that `precision` says; weights stay float32."""
    return torch.autocast(device.type, torch.bfloat16) if uses_bf16(precision, device) else nullcontext()


def compile_networks(config: Config, generator: nn.Module, student: nn.Module) -> None:
    """Compiles their forwards in place if `config` asks for it. Weights, names and copies do not change.

    This is for long runs on a GPU. On two cores compiling takes as long as a run.
    It does not compile the teacher, nor a student whose inner maps are read: a hook that is added after the compilation
    gets nothing.
    """
    if not config.compiled:
        return
    generator.compile(backend=BACKEND)
    if not config.looks_inside:
        student.compile(backend=BACKEND)
