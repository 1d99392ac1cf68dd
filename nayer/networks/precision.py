"""What convolutions and matrix products count in: float32, or bfloat16 where the device is made for it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def supports_bf16(device: torch.device) -> bool:
    """Whether `device` has instructions for bfloat16; elsewhere it is emulated, and slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())


def lowered(precision: str, device: torch.device) -> bool:
    """Whether a run of the config's `precision` counts in bfloat16 on `device`."""
    return precision == "bfloat16" or (precision == "auto" and supports_bf16(device))


def arithmetic(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Inside, convolutions and matrix products count as `precision` says; weights stay float32."""
    return torch.autocast(device.type, torch.bfloat16) if lowered(precision, device) else nullcontext()
