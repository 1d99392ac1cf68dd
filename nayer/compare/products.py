"""Times a round's convolutions and matrix products alone: it records each one, and later computes it again alone.

This gives the machine's rate for these shapes. The rest of a round's time goes to everything else.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

REPEATS = 7  # of each product; the median counts

_aten = torch.ops.aten
_PRODUCTS = {
    _aten.convolution.default,
    _aten.convolution_backward.default,
    _aten.mm.default,
    _aten.addmm.default,
    _aten.bmm.default,
    _aten.baddbmm.default,
}

Call = tuple[Any, Any]  # the operation, and its arguments with what `_shape` says in each tensor's place


class ProductCounter(TorchDispatchMode):
    """Inside the block, `calls` counts the convolutions and matrix products by what they are given."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: Counter[Call] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _PRODUCTS:
            self.calls[func, _hashable(tree_map(_shape, args))] += 1
        return func(*args, **(kwargs or {}))

    def seconds(self, now: Callable[[], float] = time.perf_counter) -> float:
        """What all of them take, each made again alone and back to back with its like, by the clock `now`."""
        return sum(count * _seconds(call, now) for call, count in self.calls.items())


def _shape(value: Any) -> Any:
    """The properties of a tensor that decide its cost. Other values stay the same."""
    return ("tensor", value.shape, value.stride(), value.dtype) if isinstance(value, Tensor) else value


def _hashable(value: Any) -> Any:
    return tuple(_hashable(part) for part in value) if isinstance(value, list | tuple) else value


def _made(value: Any) -> Any:
    """Arguments from a call's shapes. A tensor in the call becomes a tensor of noise."""
    if not isinstance(value, tuple):
        return value
    if value[:1] == ("tensor",):
        _, shape, stride, dtype = value
        needed = 1 + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
        return torch.randn(needed).to(dtype).as_strided(shape, stride)
    return [_made(part) for part in value]


def _seconds(call: Call, now: Callable[[], float]) -> float:
    operation, shapes = call
    arguments = _made(shapes)
    operation(*arguments)  # the first one allocates
    spent = []
    for _ in range(REPEATS):
        began = now()
        operation(*arguments)
        spent.append(now() - began)
    return median(spent)
