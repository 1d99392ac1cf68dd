"""Counts the memory and work of torch code by running it on meta tensors, which have no memory.

On torch's meta device a tensor has a shape and no numbers. The measured code is the code that a run executes, so
the count includes every new part of a run.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

META = torch.device("meta")
LARGE = (
    32 << 20
)  # bytes; glibc returns such a block to the system when it is freed, and keeps smaller ones (mallopt(3))
_aten = torch.ops.aten
_COMPARISONS = frozenset({"aten::eq", "aten::ne", "aten::lt", "aten::le", "aten::gt", "aten::ge"})  # they give bool


class Rehearsal(TorchDispatchMode):
    """Counts operations on meta tensors inside the block. Random draws and numbers that code reads are made up.

    `live`: bytes of the tensors that exist now. `peak`: the largest number of bytes since `mark`. `peaks`: the same for
    small and for large tensors. `work`: multiply-adds of convolutions and matrix products. It works in the thread that
    enters it, and changes nothing outside. Another thread that enters one waits until this one is left.
    """

    # torch 2.13 keeps a table of the operators that a dispatch mode has seen, without a lock. Two threads that show it
    # a new operator at the same moment end the process with a segmentation fault.
    _alone = threading.Lock()

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = self.work = 0
        self.peaks = [0, 0]
        self._base = [0, 0]
        self._live = [0, 0]  # bytes of small and of large tensors
        self._seen: set[int] = set()  # storages that are alive, by address

    def __enter__(self) -> Self:
        self._alone.acquire()
        try:
            return super().__enter__()  # type: ignore[no-any-return, no-untyped-call]
        except BaseException:
            self._alone.release()
            raise

    def __exit__(self, *error: object) -> None:
        try:
            super().__exit__(*error)  # type: ignore[no-untyped-call]
        finally:
            self._alone.release()

    @property
    def live(self) -> int:
        """Bytes of tensors that exist at the moment."""
        return sum(self._live)

    def mark(self) -> None:
        """Starts the peaks again: `peak` from the bytes that exist now, each of `peaks` from 0."""
        self.peak, self._base, self.peaks = self.live, list(self._live), [0, 0]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Stops torch from importing its compiler here, which takes two seconds."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if kwargs.get("generator") is not None:  # a random draw: it uses no numbers of a real generator
            kwargs = {**kwargs, "generator": None, "device": META}
        out = _made_up(func, args, kwargs)
        if out is None:
            out = func(*args, **kwargs)
        for made in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(made, Tensor) and made.device.type == "meta":
                self._hold(made)
        if func._overloadpacket in flop_registry:
            self.work += flop_registry[func._overloadpacket](*args, **kwargs, out_val=out) // 2
        return out

    def _hold(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        address = storage._cdata
        if address not in self._seen:
            size = storage.nbytes()
            kind = int(size >= LARGE)
            self._seen.add(address)
            self._live[kind] += size
            self.peak = max(self.peak, self.live)
            self.peaks[kind] = max(self.peaks[kind], self._live[kind] - self._base[kind])
            weakref.finalize(storage, self._let_go, address, size).atexit = False

    def _let_go(self, address: int, size: int) -> None:
        self._seen.discard(address)
        self._live[int(size >= LARGE)] -= size


def _made_up(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of an operation that meta tensors lack, or that is slow on them because torch runs it in Python."""
    if func in _STAND_INS:
        return _STAND_INS[func](*args, **kwargs)
    tensors = [value for value in args if isinstance(value, Tensor)]
    if not tensors or any(tensor.device.type != "meta" for tensor in tensors):
        return None
    if func is _aten._local_scalar_dense.default:
        return 0
    if func is _aten._to_copy.default and kwargs.get("device") == torch.device("cpu"):
        return torch.zeros((), dtype=kwargs.get("dtype") or tensors[0].dtype).expand(tensors[0].shape)
    if torch.Tag.pointwise in func.tags and func._schema.name not in _COMPARISONS:
        return _pointwise(func, tensors, kwargs)
    return None


def _pointwise(func: Any, tensors: list[Tensor], kwargs: dict[str, Any]) -> Tensor | None:
    """The result of an elementwise operation if all tensors are float32; None for other operations."""
    if kwargs or func._schema.is_mutable or any(tensor.dtype != torch.float32 for tensor in tensors):
        return None
    if len(tensors) == 1:
        return _like(tensors[0])
    shape = torch.broadcast_shapes(*(tensor.shape for tensor in tensors))
    same = next((tensor for tensor in tensors if tensor.shape == shape), None)
    return tensors[0].new_empty(shape) if same is None else _like(same)


def _like(tensor: Tensor) -> Tensor:
    """A tensor of the same shape and memory layout."""
    if tensor.untyped_storage().nbytes() < tensor.nbytes:  # an expanded tensor
        return tensor.new_empty(tensor.shape)
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=META)


def _channels(images: Tensor) -> Tensor:
    return images.new_empty(images.shape[1])


def _batch_norm(images: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
    return _like(images), _channels(images), _channels(images)


def _norm(values: Tensor, order: float = 2, dim: Any = None, *rest: Any, **more: Any) -> Tensor | None:
    return None if dim is not None or rest or more else values.new_empty(())


_STAND_INS: dict[Any, Callable[..., Any]] = {
    _aten.native_batch_norm.default: _batch_norm,
    _aten.native_batch_norm_backward.default: lambda gradient, images, *_: _batch_norm(images),
    _aten.batch_norm_update_stats.default: lambda images, *_: (_channels(images), _channels(images)),
    _aten.linalg_vector_norm.default: _norm,
    _aten.threshold_backward.default: lambda gradient, images, _: _like(images),
}
