"""The device of a run's tensors."""

from __future__ import annotations

import os

import torch

from nayer.errors import ConfigError


def device(name: str) -> torch.device:
    """`auto` takes a GPU if there is one to keep; ConfigError for `cuda` where there is none.

    A ZeroGPU Space has none to keep: it lends one to single functions, and says otherwise that there is one.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device='cuda' is not available on this machine; use cpu or auto.")
    if name == "auto" and os.environ.get("SPACES_ZERO_GPU"):
        return torch.device("cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
