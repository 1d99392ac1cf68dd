"""The device of a run's tensors."""

from __future__ import annotations

import os

import torch

from nayer.errors import ConfigError


def device(name: str) -> torch.device:
    """`auto` takes a GPU if the process can keep one; ConfigError for `cuda` if it cannot.

    A ZeroGPU Space gives a GPU to single functions only, so the process cannot keep it. Elsewhere it reports one too.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device='cuda' is not available on this machine; use cpu or auto.")
    if name == "auto" and os.environ.get("SPACES_ZERO_GPU"):
        return torch.device("cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
