"""Where a run's tensors live."""

from __future__ import annotations

import torch

from nayer.errors import ConfigError


def device(name: str) -> torch.device:
    """`auto` takes a GPU if there is one; ConfigError for `cuda` where there is none."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device='cuda' is not at hand on this machine; use cpu or auto.")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
