"""The type that networks compute in: float32, or bfloat16 if the device has instructions for it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


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
