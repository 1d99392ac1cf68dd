"""Reads tensors from untrusted files: safetensors only, compared with the wanted tensors before any is read.

It opens no pickle format, because loading one can run code. The bytes of a file decide its format, not its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from nayer.common.safetensors_header import header
from nayer.errors import AssetError, excerpt

MAX_DIFFERENCES = 5  # named in one sentence
MAX_VALUE = 1e18  # beyond it a square is infinite in float32
KINDS = {torch.float32: "F32", torch.int64: "I64"}


def read_tensors(content: bytes, wanted: Mapping[str, Tensor], name: str = "model.safetensors") -> dict[str, Tensor]:
    """The tensors in `content`, of exactly the names, shapes and types of `wanted`, whose values do not matter.

    Raises AssetError that names up to five differences, before it takes memory, or the values that are not finite.
    """
    compare_tensors(header(content, name).tensors, wanted, name)
    try:
        tensors = load(content)
    except (SafetensorError, ValueError):
        raise AssetError(f"{name} is damaged") from None
    for key, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise AssetError(f"{key} is not finite")
        if tensor.is_floating_point() and tensor.numel() and tensor.abs().max() > MAX_VALUE:
            raise AssetError(f"{key} contains values beyond {MAX_VALUE:g}, which is too large to compute with")
        if key.endswith("running_var") and (tensor < 0).any():
            raise AssetError(f"{key} is negative")
    return tensors


def compare_tensors(found: Mapping[str, Any], wanted: Mapping[str, Tensor], name: str) -> None:
    """Raises AssetError that names up to five differences between a header's tensors and the wanted ones."""
    wrong = [f"{key} is missing" for key in wanted if key not in found]
    wrong += [f"{key[:60]!r} is not expected" for key in found if key not in wanted]
    for key in wanted.keys() & found.keys():
        shape, kind = found[key].get("shape"), found[key].get("dtype")
        if shape != list(wanted[key].shape):
            wrong.append(f"{key} has the shape {excerpt(shape, 40)}, expected {list(wanted[key].shape)}")
        elif kind != KINDS[wanted[key].dtype]:
            wrong.append(f"{key} has the type {excerpt(kind, 10)}, expected {KINDS[wanted[key].dtype]}")
    if wrong:
        raise AssetError(f"{name} does not fit config.json (" + ", ".join(sorted(wrong)[:MAX_DIFFERENCES]) + ")")
