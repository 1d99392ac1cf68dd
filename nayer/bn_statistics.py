"""What arrives at a network's BatchNorm layers, read by hooks that leave with the block (Yin et al., 2020)."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

from torch import Tensor, nn

Statistics = list[tuple[Tensor, Tensor]]  # per layer: mean (c,), biased variance (c,)


class BatchNormInputs:
    """Inside the block, `batch` holds the statistics at each BatchNorm2d input of the last forward pass.

    They carry gradient. `running` are the statistics those layers learned from real images. Both are empty for a
    network without BatchNorm2d.
    """

    def __init__(self, network: nn.Module) -> None:
        self._layers = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d) and m.track_running_stats]
        self._hooks = ExitStack()
        self._seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def __enter__(self) -> BatchNormInputs:
        for layer in self._layers:
            self._hooks.enter_context(layer.register_forward_pre_hook(self._read))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hooks.close()

    def _read(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        features = inputs[0]  # (n, c, h, w)
        variance, mean = features.var(dim=(0, 2, 3), unbiased=False), features.mean(dim=(0, 2, 3))
        self._seen[layer] = (mean, variance)

    @property
    def batch(self) -> Statistics:
        return [self._seen[layer] for layer in self._layers if layer in self._seen]

    @property
    def running(self) -> Statistics:
        return [(layer.running_mean, layer.running_var) for layer in self._layers]  # type: ignore[misc]


def blend(batch: Statistics, average: Statistics | None, momentum: float) -> Statistics:
    """(1 − momentum) · batch + momentum · average, layer by layer; the batch itself while there is no average."""
    if average is None:
        return batch
    keep = 1.0 - momentum
    return [
        (keep * mean + momentum * past_mean, keep * variance + momentum * past_variance)
        for (mean, variance), (past_mean, past_variance) in zip(batch, average, strict=True)
    ]
